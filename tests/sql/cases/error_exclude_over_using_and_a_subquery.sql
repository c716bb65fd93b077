-- fail: name the columns that are wanted
-- input o: {"id":1,"cust":"A"}
-- bounded o
-- input c: {"cust":"A","name":"Ann"}
-- bounded c

SELECT * EXCLUDE (id) FROM o LEFT JOIN (SELECT cust, name FROM c) d USING (cust);
