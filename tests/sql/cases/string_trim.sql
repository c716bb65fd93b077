-- input t: {"s":"  x y  "}

SELECT TRIM(s) AS t, LTRIM(s) AS l, RTRIM(s) AS r, TRIM(BOTH 'x' FROM 'xxaxx') AS x FROM t;
