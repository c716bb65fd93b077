-- input t: {"s":"12.34"}
-- input t: {"s":"12.345"}
-- input t: {"s":"x"}

SELECT CAST(s AS DECIMAL(10, 2)) AS a FROM t;
