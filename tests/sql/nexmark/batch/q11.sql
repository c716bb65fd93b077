SELECT bidder, COUNT(*) AS bids, to_timestamp_millis(MIN(t)) AS window_start, to_timestamp_millis(MAX(t) + 10000) AS window_end
FROM (
  SELECT bidder, t, SUM(begins) OVER (PARTITION BY bidder ORDER BY t) AS session
  FROM (
    SELECT bidder, t, CASE WHEN t - LAG(t) OVER (PARTITION BY bidder ORDER BY t) <= 10000 THEN 0 ELSE 1 END AS begins
    FROM (SELECT bidder, CAST(date_time AS BIGINT) AS t FROM bid)
  )
)
GROUP BY bidder, session;
