-- input orders: {"id":1,"customer":"a"}
-- input orders: {"id":2,"customer":"b"}
-- fold

CREATE SOURCE orders (id BIGINT, customer VARCHAR) WITH ('topic' = 'orders');
CREATE SINK out (orders BIGINT, note VARCHAR, who VARCHAR) WITH ('connector' = 'kafka', 'topic' = 'out');
INSERT INTO out (who, orders) SELECT customer, COUNT(*) FROM orders GROUP BY customer;
