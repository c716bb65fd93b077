-- Table: keep the newest row of each key, and look it up for every record of a stream
-- The first statement names the table, the second reads it: F5 on the second runs both.
CREATE TABLE cities AS
SELECT customer_id AS id, LAST_VALUE(fields.city) AS city
FROM customers
GROUP BY customer_id;

SELECT o.order_id, o.customer_id, c.city, o.amount, o.currency
FROM orders o
JOIN cities c ON o.customer_id = c.id;
