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

SELECT a.id, b.paid, a.window_end
FROM HOP(orders, ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND) a
JOIN HOP(payments, ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND) b ON a.window_start = b.window_start AND a.k = b.k;
