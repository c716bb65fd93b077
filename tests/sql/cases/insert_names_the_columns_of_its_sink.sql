-- input orders: {"id":1,"customer":"a"}
-- input orders: {"id":2,"customer":"b"}

CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
CREATE SINK out WITH ('connector' = 'kafka', 'topic' = 'out');
INSERT INTO out (b, a) SELECT id AS p, customer AS q FROM orders;
