-- final
-- input s: {"v":9223372036854775807}
-- input s: {"v":5}

CREATE SOURCE s (v BIGINT) WITH ('topic' = 's');
SELECT SUM(v) AS s FROM s;
