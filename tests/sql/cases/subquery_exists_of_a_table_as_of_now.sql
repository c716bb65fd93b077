-- sorted
-- bounded customers
-- time orders: ts
-- input orders key=a: {"id":1,"customer":"a","ts":1000}
-- input orders: {"id":2,"customer":null,"ts":2000}
-- input orders key=c: {"id":3,"customer":"c","ts":3000}
-- input customers: {"id":"a","tier":"gold"}
-- input customers: {"id":"b","tier":"silver"}

CREATE SOURCE orders (id BIGINT, customer VARCHAR, ts BIGINT) WITH ('topic' = 'orders');
CREATE TABLE customers (id VARCHAR PRIMARY KEY, tier VARCHAR) WITH ('topic' = 'customers');
SELECT id, customer IN (SELECT id FROM customers) AS known, customer NOT IN (SELECT id FROM customers WHERE tier = 'gold') AS plain,
       EXISTS (SELECT 1 FROM customers c WHERE c.id = o.customer AND c.tier = 'gold') AS gold FROM orders o;
