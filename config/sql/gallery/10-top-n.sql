-- Top-N: the three largest orders of each currency, always up to date
SELECT currency, place, order_id, customer_id, amount
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY currency ORDER BY amount DESC) AS place
  FROM orders
)
WHERE place <= 3;
