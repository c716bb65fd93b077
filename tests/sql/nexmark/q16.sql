SELECT channel, DATE_FORMAT(date_time, '%Y-%m-%d') AS day, COUNT(*) AS total,
  COUNT(DISTINCT bidder) AS bidders, COUNT(DISTINCT auction) AS auctions
FROM bid GROUP BY channel, DATE_FORMAT(date_time, '%Y-%m-%d');
