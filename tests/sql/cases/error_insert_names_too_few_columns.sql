-- topic orders
-- fail: names 1 column, and its query gives 2

CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
INSERT INTO out (a) SELECT id, customer FROM orders;
