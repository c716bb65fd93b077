-- time e: ts
-- time f: ts
-- bounded e
-- bounded f
-- final
-- input e: {"id":1,"v":0,"ts":1000}
-- input e: {"id":2,"v":5,"ts":700000}
-- input e: {"id":3,"v":7,"ts":900000}
-- input f: {"v":1,"ts":1000}
-- input f: {"v":2,"ts":600000}

-- A result over no row has no time: it is not late, and meets every row.
CREATE SOURCE e (id BIGINT, v BIGINT, ts BIGINT) WITH ('topic' = 'e', 'event.time.field' = 'ts');
CREATE SOURCE f (v BIGINT, ts BIGINT) WITH ('topic' = 'f', 'event.time.field' = 'ts');
SELECT COUNT(*) AS n, SUM(v) AS total FROM e WHERE v > (SELECT COUNT(*) FROM f WHERE v > 1000);
