-- Into a topic: F8 deploys this as a job that goes on from its checkpoint after a restart
CREATE STREAM large_orders AS
SELECT order_id, customer_id, amount, currency
FROM orders
WHERE amount > 250
INTO large_orders_v1;
