-- OVER: each order beside the one before it of the same currency
SELECT
  order_id,
  currency,
  amount,
  LAG(amount) OVER (PARTITION BY currency ORDER BY _event_time) AS before,
  SUM(amount) OVER (PARTITION BY currency ORDER BY _event_time ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS last_ten
FROM orders;
