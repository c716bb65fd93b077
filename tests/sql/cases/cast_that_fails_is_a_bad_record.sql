-- input t: {"s":"42"}
-- input t: {"s":"forty"}
-- input t: {"s":"43"}

SELECT CAST(s AS BIGINT) AS n FROM t;
