SELECT auction, DATE_FORMAT(date_time, '%Y-%m-%d') AS day, COUNT(*) AS total,
  MIN(price) AS least, MAX(price) AS most, AVG(price) AS mean, SUM(price) AS sum
FROM bid GROUP BY auction, DATE_FORMAT(date_time, '%Y-%m-%d');
