-- sorted
-- final

-- input a: {"k": 1, "n": {"tags": ["p", "q"], "z": 1, "deep": {"tags": ["d"]}}}
-- input a: {"k": 2, "n": {"tags": ["r"], "z": 2}}
-- bounded a
CREATE STREAM a (k INT, n STRUCT<tags VARCHAR[], z INT, deep STRUCT<tags VARCHAR[]>>) WITH ('topic' = 'a');
CREATE VIEW b AS SELECT * FROM (VALUES (1, 5), (1, 6), (2, 7)) v(k2, x2);
SELECT 'whole' AS q, k, t.tag FROM a CROSS JOIN UNNEST(a.n.tags) AS t (tag)
UNION ALL SELECT 'column', k, t.tag FROM a CROSS JOIN UNNEST(n.tags) AS t (tag)
UNION ALL SELECT 'deep', k, t.tag FROM a LEFT JOIN UNNEST(a.n.deep.tags) AS t (tag) ON TRUE
UNION ALL SELECT 'alias', k, t.tag FROM a AS o, UNNEST(o.n.tags) AS t (tag)
UNION ALL SELECT 'scalar', k, CAST((SELECT MAX(x2) FROM b WHERE k2 = a.n.z) AS VARCHAR) FROM a
UNION ALL SELECT 'scalar too', k, CAST((SELECT MAX(x2) FROM b WHERE k2 = n.z) AS VARCHAR) FROM a
UNION ALL SELECT 'exists', k, '' FROM a WHERE EXISTS (SELECT 1 FROM b WHERE k2 = a.n.z AND x2 > 6);
