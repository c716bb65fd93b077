-- fail: two columns called `cust`

-- input o: {"id": 1, "cust": "A"}
-- input c: {"cust": "A"}
CREATE STREAM o (id INT, cust VARCHAR) WITH ('topic' = 'o');
CREATE STREAM c (cust VARCHAR, name VARCHAR) WITH ('topic' = 'c');
INSERT INTO joined SELECT * FROM o JOIN c WITHIN 1 HOUR ON o.cust = c.cust;
