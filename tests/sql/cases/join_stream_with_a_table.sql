-- sorted
-- time orders: ts
-- input orders key=a: {"id":1,"customer":"a","amount":"10.50","quantity":2,"ts":1000}
-- input orders key=b: {"id":2,"customer":"b","amount":"20.00","quantity":1,"ts":2000}
-- input orders key=a: {"id":3,"customer":"a","amount":"5.25","quantity":null,"ts":3000}
-- input orders key=c: {"id":4,"customer":"c","amount":"7.00","quantity":7,"ts":11000}
-- input orders key=b: {"id":5,"customer":"b","amount":"0.75","quantity":3,"ts":12000}
-- input customers: {"id":"a","name":"Ann","tier":"gold"}
-- input customers: {"id":"b","name":"Bob","tier":"silver"}
-- input customers: {"id":"d","name":"Dan","tier":"gold"}
-- input customers: {"id":"b","name":"Bob","tier":"gold"}

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), quantity BIGINT, ts BIGINT)
WITH ('topic' = 'orders');

CREATE TABLE customers (id VARCHAR PRIMARY KEY, name VARCHAR, tier VARCHAR) WITH ('topic' = 'customers');
SELECT o.id, c.name, c.tier FROM orders o JOIN customers c ON o.customer = c.id;
