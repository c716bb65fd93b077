-- Join: every order with its payments that come within a minute of it
SELECT o.order_id, o.customer_id, o.amount AS ordered, p.amount AS paid, p.method, p.status
FROM orders o
JOIN payments p WITHIN 1m ON o.order_id = p.order_id;
