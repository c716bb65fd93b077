-- Each change takes the only value back before it gives the next: nothing of it may stay behind.
-- input t: {"k":"a","v":1}
-- batch t
-- input t: {"k":"a","v":2}
-- batch t
-- input t: {"k":"b","v":5}
-- batch t
-- input t: {"k":"a","v":4}
-- batch t
-- input t: {"k":"b","v":6}
-- fold

SELECT STDDEV(total) AS deviation, VAR_POP(total) AS variance, CORR(total, total) AS together,
       COVAR_POP(total, total) AS shared, COUNT(*) AS groups
FROM (SELECT k, SUM(v) AS total FROM t GROUP BY k)
EMIT CHANGES;
