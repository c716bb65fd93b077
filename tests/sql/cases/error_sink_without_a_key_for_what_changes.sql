-- topic orders
-- fail: no column is their key

CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
INSERT INTO out SELECT COUNT(*) AS n FROM orders;
