-- topic orders
-- fail: `eon` is no part of a time

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), at TIMESTAMP(3)) WITH ('topic' = 'orders');
SELECT date_part('eon', at) AS e FROM orders;
