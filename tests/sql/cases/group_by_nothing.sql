-- sorted
-- final

CREATE VIEW a AS SELECT * FROM (VALUES (1, 10), (1, 20), (2, 30)) v(k, v);
SELECT 'nothing' AS q, 0 AS k, SUM(v) AS s FROM a GROUP BY ()
UNION ALL SELECT 'key', k, SUM(v) FROM a GROUP BY k, ()
UNION ALL SELECT 'no rows', 0, COUNT(*) FROM a WHERE k > 7 GROUP BY ();
