SELECT p.id, p.name, to_timestamp_millis(p.starts) AS window_start
FROM (
  SELECT DISTINCT id, name, CAST(date_time AS BIGINT) - CAST(date_time AS BIGINT) % 10000 AS starts FROM person
) p
JOIN (
  SELECT DISTINCT seller, CAST(date_time AS BIGINT) - CAST(date_time AS BIGINT) % 10000 AS starts FROM auction
) a
ON p.id = a.seller AND p.starts = a.starts;
