-- input t: {"s":"2026-02-28"}
-- input t: {"s":"2026-02-30"}

SELECT CAST(s AS DATE) AS day FROM t;
