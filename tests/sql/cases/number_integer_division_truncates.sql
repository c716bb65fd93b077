-- input t: {"a":7,"b":2}
-- input t: {"a":-7,"b":2}

SELECT a / b AS q, a % b AS r FROM t;
