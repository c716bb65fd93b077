-- input orders: {"id":1,"customer":"a"}
-- input orders: {"id":2,"customer":"b"}

CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
CREATE SINK out (who VARCHAR, region VARCHAR, number BIGINT) WITH ('connector' = 'kafka', 'topic' = 'out');
INSERT INTO out (number, who) SELECT id, customer FROM orders;
