-- topic orders
-- fail: names the column `a` twice

CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
INSERT INTO out (a, a) SELECT id, customer FROM orders;
