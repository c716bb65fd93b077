-- final
-- input s: {"i":9223372036854775807,"d":"1.01"}
-- input s: {"i":9223372036854775805,"d":"1.02"}

CREATE SOURCE s (i BIGINT, d DECIMAL(10, 2)) WITH ('topic' = 's');
SELECT MEDIAN(i) AS i, MEDIAN(d) AS d FROM s;
