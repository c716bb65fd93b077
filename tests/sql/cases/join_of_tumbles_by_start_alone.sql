-- sorted
-- time orders: ts
-- time payments: ts
-- input orders: {"id":1,"k":"a","ts":1000}
-- input orders: {"id":2,"k":"b","ts":2000}
-- input payments: {"paid":10,"k":"a","ts":9999}
-- input payments: {"paid":11,"k":"b","ts":10000}

SELECT a.id, b.paid FROM TUMBLE(orders, ts, INTERVAL '10' SECOND) a
LEFT JOIN TUMBLE(payments, ts, INTERVAL '10' SECOND) b ON a.window_start = b.window_start AND a.k = b.k;
