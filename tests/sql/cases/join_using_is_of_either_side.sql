-- final
-- sorted

CREATE VIEW l AS SELECT k, a FROM (VALUES ('x', 1), ('y', 2), (NULL, 3)) v(k, a);
CREATE VIEW r AS SELECT k, b FROM (VALUES ('y', 20), ('z', 30), (NULL, 40)) v(k, b);
CREATE VIEW m AS SELECT k, c FROM (VALUES ('x', 100), ('z', 300)) v(k, c);
SELECT 'full' AS q, k, a, b, NULL AS c FROM l FULL JOIN r USING (k)
UNION ALL SELECT 'right', k, a, b, NULL FROM l RIGHT JOIN r USING (k) WHERE k <> 'y'
UNION ALL SELECT 'chain', k, a, b, c FROM l FULL JOIN r USING (k) FULL JOIN m USING (k)
UNION ALL SELECT 'grouped', k, SUM(a), SUM(b), NULL FROM l FULL JOIN r USING (k) GROUP BY k HAVING k IS NOT NULL
UNION ALL SELECT 'star', * FROM (SELECT *, NULL FROM l FULL JOIN r USING (k)) s
UNION ALL SELECT 'own', l.k, a, b, NULL FROM l FULL JOIN r USING (k);
