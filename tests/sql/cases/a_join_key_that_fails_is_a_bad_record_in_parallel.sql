-- input a: {"k":"1","v":10}
-- input a: {"k":"x","v":20}
-- input a: {"k":"3","v":30}
-- input b: {"k":"1","w":1}
-- input b: {"k":"3","w":3}
-- bounded a
-- bounded b
-- sorted

SELECT a.v, b.w FROM a JOIN b ON CAST(a.k AS BIGINT) = CAST(b.k AS BIGINT)
  AND a._event_time BETWEEN b._event_time - INTERVAL '1' HOUR AND b._event_time + INTERVAL '1' HOUR
WITH ('parallelism' = '2');
