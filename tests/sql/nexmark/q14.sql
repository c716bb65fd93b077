SELECT auction, bidder, 0.908 * price AS price,
  CASE WHEN EXTRACT(HOUR FROM date_time) BETWEEN 8 AND 18 THEN 'day'
       WHEN EXTRACT(HOUR FROM date_time) <= 6 OR EXTRACT(HOUR FROM date_time) >= 20 THEN 'night'
       ELSE 'other' END AS bid_time,
  date_time, extra, CHAR_LENGTH(extra) - CHAR_LENGTH(REPLACE(extra, 'c', '')) AS c_counts
FROM bid
WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000;
