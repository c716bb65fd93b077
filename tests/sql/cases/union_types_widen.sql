-- sorted
-- input a: {"v":1}
-- input b: {"v":1.5}

SELECT v FROM a UNION ALL SELECT v FROM b;
