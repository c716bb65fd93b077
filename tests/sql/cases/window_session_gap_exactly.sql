-- time s: ts
-- input s: {"k":"x","ts":0}
-- input s: {"k":"x","ts":5000}
-- input s: {"k":"x","ts":10001}

SELECT k, COUNT(*) AS n, window_start, window_end FROM s WINDOW SESSION(5s) GROUP BY k;
