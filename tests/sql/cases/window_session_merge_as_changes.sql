-- fold
-- time s: ts
-- input s: {"k":"x","ts":0}
-- input s: {"k":"x","ts":8000}
-- batch s
-- input s: {"k":"x","ts":4000}

SELECT k, COUNT(*) AS n, window_start, window_end FROM s WINDOW SESSION(5s) GROUP BY k EMIT CHANGES
WITH ('watermark.max_out_of_orderness' = '10s');
