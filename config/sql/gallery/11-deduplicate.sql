-- Deduplicate: the first payment of each order, whatever comes after it
SELECT order_id, payment_id, amount, method, status
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY _event_time) AS place
  FROM payments
)
WHERE place = 1;
