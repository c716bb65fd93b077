-- final
-- input s: {"v":1}
-- input s: {"v":null}
-- input s: {"v":5}

SELECT COUNT(*) AS all, COUNT(v) AS some, SUM(v) AS s, AVG(v) AS a, MIN(v) AS lo, MAX(v) AS hi FROM s;
