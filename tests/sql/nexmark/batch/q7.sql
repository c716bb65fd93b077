WITH timed AS (SELECT *, CAST(date_time AS BIGINT) AS t FROM bid)
SELECT b.auction, b.price, b.bidder, b.date_time, b.extra
FROM timed b
JOIN (SELECT MAX(price) AS top, t - t % 10000 + 10000 AS ends FROM timed GROUP BY t - t % 10000 + 10000) m
ON b.price = m.top AND b.t BETWEEN m.ends - 10000 AND m.ends;
