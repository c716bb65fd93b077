-- input t: {"s":"7"}

SELECT LPAD(s, 3, '0') AS l, RPAD(s, 3, '.') AS r, REPEAT(s, 3) AS x, REVERSE('abc') AS v FROM t;
