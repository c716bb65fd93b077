-- final
-- input s: {"v":1}
-- input s: {"v":2}
-- input s: {"v":10}
-- input s: {"v":4}

SELECT MEDIAN(v) AS m, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY v) AS c, PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY v) AS d FROM s;
