-- time a: ts
-- time b: ts
-- input a: {"v":1,"ts":1000}
-- input a: {"v":2,"ts":11000}
-- input b: {"v":4,"ts":2000}
-- input b: {"v":8,"ts":12000}

SELECT SUM(v) AS s, window_start FROM (SELECT v, _event_time FROM a UNION ALL SELECT v, _event_time FROM b) WINDOW TUMBLING(10s);
