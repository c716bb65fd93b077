SELECT b.auction, b.bidder, b.price, a.item_name, a.category
FROM bid b JOIN auction a ON b.auction = a.id
WHERE a.category = 10
WITH ('state.ttl' = '1h');
