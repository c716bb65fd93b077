-- final
SELECT x, NTILE(4) OVER (ORDER BY x) AS quarter, NTILE(9) OVER (ORDER BY x) AS ninth, NTILE(1) OVER (ORDER BY x) AS whole
FROM (VALUES (1), (2), (3), (4), (5), (6)) t(x);
