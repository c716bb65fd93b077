-- final
-- input s: {"k":"x","v":1}
-- input s: {"k":null,"v":2}
-- input s: {"k":null,"v":3}

SELECT k, SUM(v) AS s, COUNT(k) AS n FROM s GROUP BY k;
