-- bounded orders
-- input orders: {"id":1,"k":"a","f":1e17}
-- input orders: {"id":2,"k":"a","f":1.0}
-- batch orders
-- input orders: {"id":1,"k":"b","f":1e17}
-- fold
CREATE TABLE orders (id BIGINT PRIMARY KEY, k VARCHAR, f DOUBLE) WITH ('connector' = 'kafka', 'topic' = 'orders');
SELECT k, SUM(f) AS total, AVG(f) AS mean FROM orders GROUP BY k EMIT CHANGES;
