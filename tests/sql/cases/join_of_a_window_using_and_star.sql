-- sorted
-- final

-- input o time=1000: {"id": 1, "cust": "A"}
-- input c time=2000: {"cust": "A", "name": "Ann"}
-- bounded o
-- bounded c
CREATE STREAM o (id INT, cust VARCHAR) WITH ('topic' = 'o');
CREATE STREAM c (cust VARCHAR, name VARCHAR) WITH ('topic' = 'c');
SELECT * FROM o JOIN c USING (cust) WINDOW TUMBLING(1m);
