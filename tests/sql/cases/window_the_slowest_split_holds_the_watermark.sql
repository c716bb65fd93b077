-- time s: ts
-- input s: {"v":1,"ts":1000}
-- batch s
-- input s: {"v":2,"ts":21000}
-- split s
-- input s: {"v":4,"ts":2000}
-- batch s
-- input s: {"v":8,"ts":9000}

SELECT SUM(v) AS s, window_start FROM s WINDOW TUMBLING(10s) WITH ('watermark.idle_timeout' = '1h');
