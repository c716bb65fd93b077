-- time s: ts
-- input s: {"k":"x","v":1,"ts":1000}
-- input s: {"k":"x","v":2,"ts":2000}
-- input s: {"k":"y","v":5,"ts":3000}
-- batch s
-- input s: {"k":"x","v":3,"ts":4000}
-- batch s
-- input s: {"k":"y","v":5,"ts":5000}

CREATE TABLE sums AS SELECT k, SUM(v) AS s FROM s GROUP BY k;
SELECT * FROM sums WHERE s > 4;
