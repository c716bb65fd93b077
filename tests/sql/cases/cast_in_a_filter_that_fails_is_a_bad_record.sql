-- input t: {"s":"1"}
-- input t: {"s":"x"}
-- input t: {"s":"3"}

SELECT s FROM t WHERE CAST(s AS BIGINT) > 1;
