-- time s: ts
-- input s: {"k":"x","v":5,"ts":1}
-- batch s
-- input s: {"k":"x","v":3,"ts":2}
-- batch s
-- input s: {"k":"x","v":9,"ts":3}

SELECT k, MAX(v) AS m FROM s GROUP BY k;
