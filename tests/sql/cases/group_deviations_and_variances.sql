-- final
-- input s: {"v":2}
-- input s: {"v":4}
-- input s: {"v":6}

SELECT STDDEV(v) AS s, STDDEV_POP(v) AS sp, VARIANCE(v) AS v, VAR_POP(v) AS vp FROM s;
