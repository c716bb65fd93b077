-- final
-- sorted
CREATE VIEW doubles AS SELECT CAST(x AS DOUBLE) AS d FROM (VALUES ('-0.0'), ('0'), ('NaN'), ('NaN'), ('1')) t(x);
SELECT d = 0 AS zero, d < 0 AS below, d IN (0, 2, 3, 4, 5) AS one_of, CASE d WHEN 0 THEN 'zero' END AS said, NULLIF(d, 0) AS other FROM doubles WHERE d <> 1;
SELECT COUNT(*) AS rows_of, MIN(d) AS d FROM doubles GROUP BY d;
SELECT COUNT(DISTINCT d) AS different FROM doubles;
SELECT DISTINCT d FROM doubles;
SELECT COUNT(*) AS pairs FROM doubles a JOIN doubles b ON a.d = b.d;
SELECT CAST('-0.0' AS DOUBLE) = 0 AS constant;
