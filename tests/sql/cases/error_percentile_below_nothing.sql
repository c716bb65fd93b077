-- topic orders
-- fail: from 0 to 1, and here is -0.5

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), at TIMESTAMP(3)) WITH ('topic' = 'orders');
SELECT PERCENTILE_DISC(amount, -0.5) AS p FROM orders GROUP BY customer;
