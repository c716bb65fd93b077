-- final
-- sorted
SELECT p, SUM(x) OVER (ORDER BY p RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) AS near FROM (VALUES (1, 1.5), (2, 2.5), (4, 2.6), (8, 9.0)) t(x, p);
