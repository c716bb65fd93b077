SELECT bidder, COUNT(*) AS bids, to_timestamp_millis(starts) AS window_start, to_timestamp_millis(starts + 10000) AS window_end
FROM (SELECT bidder, CAST(date_time AS BIGINT) - CAST(date_time AS BIGINT) % 10000 AS starts FROM bid)
GROUP BY bidder, starts;
