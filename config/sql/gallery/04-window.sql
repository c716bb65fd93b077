-- Window: spend by customer in windows of ten seconds, while they fill
-- EMIT CHANGES gives every change; EMIT FINAL gives each window once, when it is over.
SELECT window_start, customer_id, SUM(amount) AS spent, COUNT(*) AS orders
FROM orders
WINDOW TUMBLING(10s)
GROUP BY customer_id
EMIT CHANGES;
