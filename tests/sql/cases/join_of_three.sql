-- sorted
-- input a: {"k":1,"x":1}
-- input b: {"k":1,"y":2}
-- input c: {"k":1,"z":3}

SELECT x, y, z FROM a JOIN b WITHIN 1h ON a.k = b.k JOIN c WITHIN 1h ON b.k = c.k;
