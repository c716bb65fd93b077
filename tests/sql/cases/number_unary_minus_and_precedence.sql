-- input t: {"a":2,"b":3}

SELECT -a + b * 2 AS x, (a + b) * 2 AS y, a - -b AS z FROM t;
