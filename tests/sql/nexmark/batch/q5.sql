WITH counted AS (
  SELECT auction, t - t % 2000 - hop AS starts, COUNT(*) AS num
  FROM (SELECT auction, CAST(date_time AS BIGINT) AS t FROM bid)
  CROSS JOIN (VALUES (0), (2000), (4000), (6000), (8000)) AS hops(hop)
  GROUP BY auction, t - t % 2000 - hop
)
SELECT b.auction, b.num
FROM counted b JOIN (SELECT MAX(num) AS top, starts FROM counted GROUP BY starts) m
ON b.starts = m.starts AND b.num >= m.top;
