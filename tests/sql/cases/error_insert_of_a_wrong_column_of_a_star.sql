-- input orders: {"id":1,"note":"a"}
-- fail: is BIGINT, and gets VARCHAR

CREATE SINK out (id BIGINT, n BIGINT) WITH ('connector' = 'memory');
INSERT INTO out SELECT * FROM orders;
