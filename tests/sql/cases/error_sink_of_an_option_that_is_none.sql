-- topic orders
-- fail: has no option `nonsense`

CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
INSERT INTO out SELECT id FROM orders WITH ('out.nonsense' = '1');
