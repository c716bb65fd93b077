-- final
-- sorted
SELECT x FROM (VALUES (CAST('1e-20' AS DOUBLE)), (1.5), (-2), (NULL)) AS v (x);
SELECT x FROM (VALUES (1.5), (CAST(2.25 AS DECIMAL(10, 2)))) AS v (x);
