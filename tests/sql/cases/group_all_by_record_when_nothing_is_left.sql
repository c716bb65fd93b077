-- time s: ts
-- input s: {"k":"x","v":1,"ts":1000}
-- batch s
-- input s: {"k":"x","v":9,"ts":2000}
-- batch s
-- input s: {"k":"y","v":2,"ts":3000}

SELECT COUNT(*) AS n FROM (SELECT k, SUM(v) AS s FROM s GROUP BY k HAVING SUM(v) < 5) EMIT CHANGES WITH ('emit.granularity' = 'record');
