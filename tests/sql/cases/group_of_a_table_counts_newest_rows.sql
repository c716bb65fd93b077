-- fold
-- input customers: {"id":"a","name":"Ann","tier":"gold"}
-- input customers: {"id":"b","name":"Bob","tier":"silver"}
-- input customers: {"id":"d","name":"Dan","tier":"gold"}
-- input customers: {"id":"b","name":"Bob","tier":"gold"}

CREATE TABLE customers (id VARCHAR PRIMARY KEY, name VARCHAR, tier VARCHAR) WITH ('topic' = 'customers');
SELECT tier, COUNT(*) AS n FROM customers GROUP BY tier;
