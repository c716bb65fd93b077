-- topic orders
-- fail: is no regular expression

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), at TIMESTAMP(3)) WITH ('topic' = 'orders');
SELECT regexp_like(customer, '[a-') AS r FROM orders;
