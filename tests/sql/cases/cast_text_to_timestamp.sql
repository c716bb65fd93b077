-- input t: {"s":"2026-01-02T03:04:05.678Z"}
-- input t: {"s":"2026-01-02 03:04:05"}
-- input t: {"s":"yesterday"}

SELECT CAST(s AS TIMESTAMP(3)) AS at FROM t;
