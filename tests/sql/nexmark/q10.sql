SELECT auction, bidder, price, date_time, extra,
  DATE_FORMAT(date_time, '%Y-%m-%d') AS dt, DATE_FORMAT(date_time, '%H:%M') AS hm
FROM bid;
