-- input t: {"a":1,"b":3}
-- input t: {"a":null,"b":3}

SELECT GREATEST(a, b) AS g, LEAST(a, b) AS l FROM t;
