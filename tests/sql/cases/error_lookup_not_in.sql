-- fail: lookup table
-- input orders: {"id":1,"currency":"EUR","amount":"10.50","at":1}
-- input orders: {"id":2,"currency":"USD","amount":"20.00","at":2}
-- input orders: {"id":3,"currency":null,"amount":"1.00","at":3}
-- input orders: {"id":4,"currency":"JPY","amount":"7.00","at":4}
-- input orders: {"id":5,"currency":"EUR","amount":"0.75","at":5}
-- bounded rates
-- input rates: {"currency":"EUR","rate":"1.10","least":"5.00"}
-- input rates: {"currency":"USD","rate":"1.00","least":"0.00"}
-- input rates: {"currency":null,"rate":"9.99","least":"0.00"}

CREATE SOURCE orders (id BIGINT, currency VARCHAR, amount DECIMAL(10, 2), at BIGINT) WITH ('topic' = 'orders');
CREATE SOURCE rates (currency VARCHAR, rate DECIMAL(8, 2), least DECIMAL(10, 2))
WITH ('topic' = 'rates', 'lookup.cache' = 'full');
SELECT id FROM orders WHERE currency NOT IN (SELECT currency FROM rates);
