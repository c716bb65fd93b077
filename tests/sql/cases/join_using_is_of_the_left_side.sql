-- sorted
-- final
-- Names of relations in both orders of the alphabet: which column `*` has is not said by them.

-- input o: {"id": 1, "cust": "A"}
-- input o: {"id": 2, "cust": "B"}
-- input c key="A": {"cust": "A", "name": "Ann"}
-- bounded o
-- bounded c
CREATE STREAM o (id INT, cust VARCHAR) WITH ('topic' = 'o');
CREATE TABLE c (cust VARCHAR PRIMARY KEY, name VARCHAR) WITH ('topic' = 'c');
CREATE TABLE z (cust VARCHAR PRIMARY KEY, name VARCHAR) WITH ('topic' = 'c');
SELECT 'table' AS q, * FROM o LEFT JOIN c USING (cust)
UNION ALL SELECT 'late name', * FROM o LEFT JOIN z USING (cust)
UNION ALL SELECT 'natural', * FROM o NATURAL LEFT JOIN c
UNION ALL SELECT 'without', *, 'x' FROM (SELECT * EXCLUDE (name) FROM o LEFT JOIN c USING (cust)) AS s
UNION ALL SELECT 'system', s.id, s.cust, s.name FROM (SELECT *, o._offset AS place FROM o LEFT JOIN c USING (cust)) AS s
UNION ALL SELECT 'group', id, cust, CAST(n AS VARCHAR) FROM
  (SELECT * FROM o LEFT JOIN (SELECT cust, COUNT(*) AS n FROM c GROUP BY cust) AS d USING (cust)) AS s;
