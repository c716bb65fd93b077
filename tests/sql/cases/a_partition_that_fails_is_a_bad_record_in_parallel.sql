-- input t: {"k":"1","v":10}
-- input t: {"k":"x","v":20}
-- input t: {"k":"3","v":30}
-- input t: {"k":"1","v":40}
-- sorted

SELECT k, v, SUM(v) OVER (PARTITION BY CAST(k AS BIGINT) ORDER BY _event_time) AS running FROM t
WITH ('parallelism' = '2');
