-- fold
-- sorted
-- bounded payments
-- time orders: ts
-- input orders key=a: {"id":1,"customer":"a","amount":"10.50","quantity":2,"ts":1000}
-- input orders key=b: {"id":2,"customer":"b","amount":"20.00","quantity":1,"ts":2000}
-- input orders key=a: {"id":3,"customer":"a","amount":"5.25","quantity":null,"ts":3000}
-- input orders key=c: {"id":4,"customer":"c","amount":"7.00","quantity":7,"ts":11000}
-- input orders key=b: {"id":5,"customer":"b","amount":"0.75","quantity":3,"ts":12000}
-- time payments: ts
-- input payments: {"order_id":1,"paid":"10.50","method":"card","ts":1500}
-- input payments: {"order_id":3,"paid":"5.00","method":"cash","ts":3500}
-- input payments: {"order_id":4,"paid":"7.00","method":"card","ts":30000}
-- input payments: {"order_id":9,"paid":"1.00","method":"card","ts":12000}

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), quantity BIGINT, ts BIGINT)
WITH ('topic' = 'orders');

CREATE SOURCE payments (order_id BIGINT, paid DECIMAL(10, 2), method VARCHAR, ts BIGINT) WITH ('topic' = 'payments');
SELECT id, (SELECT MAX(paid) FROM payments) AS most FROM orders WHERE id < 3;
