-- input t: {"a":9223372036854775807}
-- input t: {"a":5}

CREATE SOURCE t (a BIGINT) WITH ('topic' = 't');
SELECT a + 1 AS b FROM t;
