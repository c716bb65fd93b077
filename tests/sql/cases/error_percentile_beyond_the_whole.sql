-- topic orders
-- fail: from 0 to 1, and here is 2

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), at TIMESTAMP(3)) WITH ('topic' = 'orders');
SELECT customer, PERCENTILE_CONT(2) WITHIN GROUP (ORDER BY amount) AS p FROM orders GROUP BY customer;
