SELECT b.auction, b.num
FROM (
  SELECT auction, COUNT(*) AS num, window_start, window_end
  FROM HOP(bid, date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND)
  GROUP BY auction, window_start, window_end
) b
JOIN (
  SELECT MAX(num) AS top, window_start, window_end
  FROM (
    SELECT COUNT(*) AS num, window_start, window_end
    FROM HOP(bid, date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND)
    GROUP BY auction, window_start, window_end
  ) c
  GROUP BY window_start, window_end
) m
ON b.window_start = m.window_start AND b.window_end = m.window_end AND b.num >= m.top;
