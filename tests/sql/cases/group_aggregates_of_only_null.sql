-- final
-- input s: {"k":1,"v":null}

CREATE SOURCE s (k BIGINT, v BIGINT) WITH ('topic' = 's');
SELECT COUNT(v) AS n, SUM(v) AS s, AVG(v) AS a, MAX(v) AS m FROM s GROUP BY k;
