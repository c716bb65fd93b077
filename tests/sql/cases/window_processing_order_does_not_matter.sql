-- time s: ts
-- input s: {"v":4,"ts":12000}
-- input s: {"v":1,"ts":1000}
-- input s: {"v":2,"ts":9000}
-- input s: {"v":8,"ts":5000}

SELECT SUM(v) AS s, COUNT(*) AS n, window_start FROM s WINDOW TUMBLING(10s) WITH ('watermark.max_out_of_orderness' = '20s');
