-- sorted
-- time orders: ts
-- time payments: ts
-- input orders: {"id":1,"ts":1000}
-- input orders: {"id":2,"ts":2000}
-- input orders: {"id":3,"ts":11000}
-- input payments: {"order_id":1,"ts":1500}
-- input payments: {"order_id":4,"ts":30000}
-- input payments: {"order_id":9,"ts":12000}

SELECT o.n, p.m, o.window_end FROM
  (SELECT COUNT(*) AS n, window_start, window_end FROM orders WINDOW TUMBLING(10s)) o
  JOIN (SELECT COUNT(*) AS m, window_start, window_end FROM payments WINDOW TUMBLING(10s)) p
  ON o.window_start = p.window_start AND o.window_end = p.window_end;
