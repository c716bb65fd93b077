-- final
-- sorted
-- input s: {"k":"x","v":1}
-- input s: {"k":"y","v":2}
-- split s
-- input s: {"k":"x","v":4}
-- split s
-- input s: {"k":"y","v":8}

SELECT k, SUM(v) AS s FROM s GROUP BY k WITH ('parallelism' = '2');
