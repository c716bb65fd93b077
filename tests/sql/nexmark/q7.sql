SELECT b.auction, b.price, b.bidder, b.date_time, b.extra
FROM bid b
JOIN (
  SELECT MAX(price) AS top, window_end AS ends
  FROM TUMBLE(TABLE bid, DESCRIPTOR(date_time), INTERVAL '10' SECOND)
  GROUP BY window_start, window_end
) m
ON b.price = m.top AND b.date_time BETWEEN m.ends - INTERVAL '10' SECOND AND m.ends;
