-- final
-- sorted
-- input s: {"k":"a","v":1.10}
-- input s: {"k":"a","v":2.20}
-- input s: {"k":"a","v":3.35}
-- input s: {"k":"b","v":-0.01}
-- input s: {"k":"b","v":0.00}
-- input s: {"k":"b","v":null}

SELECT k, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY v) AS middle, PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY v) AS p95,
  PERCENTILE_CONT(0.333333) WITHIN GROUP (ORDER BY v) AS third, MEDIAN(v) AS median, PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY v) AS one
FROM s GROUP BY k;
