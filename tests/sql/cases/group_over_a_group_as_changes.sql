-- time s: ts
-- input s: {"k":"x","ts":1}
-- batch s
-- input s: {"k":"y","ts":2}
-- batch s
-- input s: {"k":"x","ts":3}

SELECT n, COUNT(*) AS keys FROM (SELECT k, COUNT(*) AS n FROM s GROUP BY k) GROUP BY n;
