-- topic orders
-- fail: has no column `c`

CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
CREATE SINK out (a BIGINT, b VARCHAR) WITH ('connector' = 'kafka');
INSERT INTO out (a, c) SELECT id, customer FROM orders;
