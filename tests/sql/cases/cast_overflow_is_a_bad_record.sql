-- input t: {"a":3000000000}
-- input t: {"a":3}

SELECT CAST(a AS INT) AS n FROM t;
