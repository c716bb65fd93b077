-- fail: behind the point
SELECT CAST(1 AS DECIMAL(38, 20)) * CAST(1 AS DECIMAL(38, 20)) AS a;
