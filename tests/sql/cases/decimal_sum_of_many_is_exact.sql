-- input t: {"a":0.1}
-- input t: {"a":0.2}
-- input t: {"a":0.3}
-- final

SELECT SUM(a) AS sum, AVG(a) AS mean FROM t;
