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

SELECT a.id, a.window_end
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND)) a
WHERE EXISTS (SELECT 1 FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND)) b
  WHERE a.window_start = b.window_start AND a.window_end = b.window_end AND a.k = b.k);
