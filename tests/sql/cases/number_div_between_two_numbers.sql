SELECT 7 DIV 2 AS a, 1 + 7 DIV 2 * 2 AS b, x DIV 4 AS c, ATAN2(1, 3) AS d, 1e-300 AS e FROM (VALUES (9), (-9)) t(x);
