-- topic orders
-- fail: is no URI, and would be written to a topic

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), at TIMESTAMP(3)) WITH ('topic' = 'orders');
SELECT id FROM orders INTO 'out.csv';
