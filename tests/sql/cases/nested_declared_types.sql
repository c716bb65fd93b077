-- input t: {"a":[1,2],"m":{"x":1,"y":2},"s":{"p":"1.10","q":"t"}}

CREATE SOURCE t (a ARRAY<BIGINT>, m MAP<VARCHAR, BIGINT>, s STRUCT<p DECIMAL(5, 2), q VARCHAR>) WITH ('topic' = 't');
SELECT a[2] AS two, m['x'] AS x, m['z'] AS z, s.p + 1 AS p, s.q AS q FROM t;
