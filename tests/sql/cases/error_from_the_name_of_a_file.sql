-- topic orders
-- fail: is no URI, and would be read as a topic

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), at TIMESTAMP(3)) WITH ('topic' = 'orders');
SELECT * FROM 'x.csv';
