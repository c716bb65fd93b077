-- fail: cannot be cast to
-- time orders: ts
-- input orders key=a: {"id":1,"customer":"a","amount":"10.50","quantity":2,"ts":1000}
-- input orders key=b: {"id":2,"customer":"b","amount":"20.00","quantity":1,"ts":2000}

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), quantity BIGINT, ts BIGINT, at TIMESTAMP(3) METADATA FROM 'timestamp', is_paid BOOLEAN)
WITH ('topic' = 'orders');
SELECT CAST(ARRAY[1] AS BIGINT) FROM orders;
