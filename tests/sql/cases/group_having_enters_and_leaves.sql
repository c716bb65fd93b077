-- input s: {"k":"x","v":1}
-- batch s
-- input s: {"k":"x","v":5}
-- batch s
-- input s: {"k":"x","v":-5}

SELECT k, SUM(v) AS s FROM s GROUP BY k HAVING SUM(v) > 3;
