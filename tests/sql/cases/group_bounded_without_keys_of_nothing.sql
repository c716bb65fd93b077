-- topic s
-- bounded s
-- final

CREATE SOURCE s (v BIGINT) WITH ('topic' = 's');
SELECT COUNT(*) AS n, SUM(v) AS s FROM s;
