-- input t: {"a":1}
-- input t: {"a":null}

SELECT a = NULL AS eq, a <> 1 AS ne, a IS NULL AS is_null FROM t;
