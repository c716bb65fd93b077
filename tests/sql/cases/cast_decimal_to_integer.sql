-- input t: {"a":"1.5"}
-- input t: {"a":"-1.5"}
-- input t: {"a":"2.4"}

CREATE SOURCE t (a DECIMAL(10, 1)) WITH ('topic' = 't');
SELECT CAST(a AS BIGINT) AS n FROM t;
