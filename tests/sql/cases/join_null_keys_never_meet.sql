-- sorted
-- input a: {"id":null,"x":"p"}
-- input a: {"id":1,"x":"s"}
-- input b: {"id":null,"y":"q"}
-- input b: {"id":1,"y":"t"}

SELECT x, y FROM a LEFT JOIN b WITHIN 1h ON a.id = b.id;
