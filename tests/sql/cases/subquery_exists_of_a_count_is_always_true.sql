-- sorted
-- bounded orders
-- time orders: ts
-- input orders key=a: {"id":1,"customer":"a","amount":"10.50","ts":1000}
-- input orders key=b: {"id":2,"customer":"b","amount":"20.00","ts":2000}
-- input orders: {"id":3,"customer":null,"amount":"5.25","ts":3000}
-- input orders key=c: {"id":4,"customer":"c","amount":"7.00","ts":11000}
-- input orders key=b: {"id":5,"customer":"b","amount":"0.75","ts":12000}
-- bounded alerts
-- input alerts: {"customer":"a","level":3}
-- input alerts: {"customer":"a","level":1}
-- input alerts: {"customer":"x","level":2}

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), ts BIGINT) WITH ('topic' = 'orders');
CREATE SOURCE alerts (customer VARCHAR, level BIGINT) WITH ('topic' = 'alerts');
SELECT id FROM orders o WHERE EXISTS (SELECT COUNT(*) FROM alerts a WHERE a.customer = o.customer);
