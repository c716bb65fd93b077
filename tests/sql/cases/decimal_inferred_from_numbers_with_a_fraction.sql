-- input t: {"a":1.25}
-- input t: {"a":300}

DESCRIBE t;
SELECT a, a * 3 AS three FROM t;
