-- input t: {"s":"42"}
-- input t: {"s":"forty"}

SELECT TRY_CAST(s AS BIGINT) AS n FROM t;
