-- fold
-- input s: {"k":"x","v":1}
-- batch s
-- input s: {"k":"y","v":5}
-- batch s
-- input s: {"k":"y","v":-3}

SELECT MAX(total) AS most FROM (SELECT k, SUM(v) AS total FROM s GROUP BY k);
