-- input orders: {"id":1}
-- fail: has 2 columns, and the query gives 1

CREATE SINK out (id BIGINT, note VARCHAR) WITH ('connector' = 'memory');
INSERT INTO
  out SELECT id FROM orders;
