-- fail: does not fit
SELECT - CAST(-128 AS TINYINT);
