-- sorted
-- input a: {"k":1,"x":1}
-- input a: {"k":1,"x":2}
-- input b: {"k":1,"y":3}
-- input b: {"k":1,"y":4}

SELECT x, y FROM a JOIN b WITHIN 1h ON a.k = b.k;
