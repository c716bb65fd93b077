-- input t: {"s":"true"}
-- input t: {"s":"f"}
-- input t: {"s":"yes"}
-- input t: {"s":"perhaps"}

SELECT CAST(s AS BOOLEAN) AS b FROM t;
