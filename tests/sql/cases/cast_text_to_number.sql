-- input t: {"s":"42"}
-- input t: {"s":null}

SELECT CAST(s AS BIGINT) AS n FROM t;
