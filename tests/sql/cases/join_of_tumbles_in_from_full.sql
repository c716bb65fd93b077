-- sorted
-- time orders: ts
-- time payments: ts
-- input orders: {"id":1,"k":"a","ts":1000}
-- input orders: {"id":2,"k":"b","ts":2000}
-- input orders: {"id":3,"k":"a","ts":11000}
-- input orders: {"id":4,"k":null,"ts":12000}
-- input payments: {"paid":10,"k":"a","ts":1500}
-- input payments: {"paid":11,"k":"a","ts":9000}
-- input payments: {"paid":12,"k":"b","ts":12000}
-- input payments: {"paid":13,"k":"c","ts":30000}

SELECT a.id, b.paid, a.window_start AS left_start, b.window_start AS right_start
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND)) a
FULL JOIN TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND)) b
  ON a.window_start = b.window_start AND a.window_end = b.window_end AND a.k = b.k;
