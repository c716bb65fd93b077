-- topic orders
-- fail: leaves out `who`, which is NOT NULL
CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
CREATE SINK out (who VARCHAR NOT NULL, number BIGINT) WITH ('connector' = 'kafka', 'topic' = 'out');
INSERT INTO out (number) SELECT id FROM orders;
