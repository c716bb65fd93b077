-- fail: does not fit
SELECT CAST(127 AS TINYINT) + CAST(1 AS TINYINT);
