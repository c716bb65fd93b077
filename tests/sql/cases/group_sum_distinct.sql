-- final
-- input s: {"v":5}
-- input s: {"v":5}
-- input s: {"v":7}

SELECT SUM(DISTINCT v) AS s, COUNT(DISTINCT v) AS n FROM s;
