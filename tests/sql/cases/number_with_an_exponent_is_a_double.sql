SELECT 1e0 / 3 AS third, 2e-1 / 7 AS small, 1.5E3 AS big, 1.0 / 3 AS exact;
SELECT a FROM (VALUES (1e17), (-0.5), (2)) v(a);
SELECT 1e0 + 0.25 AS sum, 0.25 * 2e0 AS product, CASE WHEN TRUE THEN 0.1 ELSE 1e0 END AS cased;
