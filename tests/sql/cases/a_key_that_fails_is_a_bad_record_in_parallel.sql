-- input t: {"k":"1","v":10}
-- input t: {"k":"x","v":20}
-- input t: {"k":"3","v":30}
-- input t: {"k":"1","v":40}
-- sorted

SELECT CAST(k AS BIGINT) AS n, SUM(v) AS total FROM t GROUP BY CAST(k AS BIGINT)
WITH ('parallelism' = '2');
