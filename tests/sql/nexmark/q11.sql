SELECT bidder, COUNT(*) AS bids, window_start, window_end
FROM bid WINDOW SESSION(10s) GROUP BY bidder;
