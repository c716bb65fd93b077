SELECT id, item_name, bidder, price FROM (
  SELECT a.id, a.item_name, b.bidder, b.price,
         ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.date_time ASC) AS rn
  FROM auction a JOIN bid b ON a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
) WHERE rn <= 1
WITH ('state.ttl' = '1h');
