-- sorted
-- final

-- input o: {"id": 1, "cust": "A"}
-- input o: {"id": 2, "cust": "B"}
-- bounded o
CREATE STREAM o (id INT, cust VARCHAR) WITH ('topic' = 'o');
WITH o AS (SELECT *, _offset AS place FROM o WHERE id > 1), p AS (SELECT id AS one FROM o)
SELECT 'from' AS q, id, place FROM o
UNION ALL SELECT 'behind', one, 0 FROM p
UNION ALL SELECT 'star', id, place FROM (SELECT * FROM o) AS s;
