-- topic orders
-- fail: `b` stands for nothing

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), at TIMESTAMP(3)) WITH ('topic' = 'orders');
SELECT DATE_FORMAT(at, 'yyyy-bb') AS d FROM orders;
