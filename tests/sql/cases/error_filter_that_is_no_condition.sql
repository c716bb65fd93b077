-- fail: not true or false
-- time orders: ts
-- input orders key=a: {"id":1,"customer":"a","amount":"10.50","quantity":2,"ts":1000}
-- input orders key=b: {"id":2,"customer":"b","amount":"20.00","quantity":1,"ts":2000}
-- input orders key=a: {"id":3,"customer":"a","amount":"5.25","quantity":null,"ts":3000}
-- input orders key=c: {"id":4,"customer":"c","amount":"7.00","quantity":7,"ts":11000}
-- input orders key=b: {"id":5,"customer":"b","amount":"0.75","quantity":3,"ts":12000}

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), quantity BIGINT, ts BIGINT)
WITH ('topic' = 'orders');
SELECT id FROM orders WHERE customer;
