-- input orders: {"id":1,"currency":"EUR","amount":"10.50","at":1}
-- input orders: {"id":2,"currency":"USD","amount":"20.00","at":2}
-- input orders: {"id":3,"currency":null,"amount":"1.00","at":3}
-- input orders: {"id":4,"currency":"JPY","amount":"7.00","at":4}
-- input orders: {"id":5,"currency":"EUR","amount":"0.75","at":5}
-- bounded rates
-- input rates: {"currency":"EUR","rate":"1.10"}
-- input rates: {"currency":"USD","rate":"1.00"}
-- input rates: {"currency":"JPY","rate":"3.00"}
-- input rates: {"currency":"EUR","rate":"2.00"}
-- input rates delete: {"currency":"JPY"}

CREATE SOURCE orders (id BIGINT, currency VARCHAR, amount DECIMAL(10, 2), at BIGINT) WITH ('topic' = 'orders');
CREATE TABLE rates (currency VARCHAR PRIMARY KEY, rate DECIMAL(8, 2)) WITH ('topic' = 'rates', 'lookup.cache' = 'full');
SELECT o.id, r.rate FROM orders o LEFT JOIN rates r ON o.currency = r.currency;
SELECT o.id, r.currency FROM orders o JOIN rates r ON CAST(o.id AS DECIMAL(8, 2)) = r.rate;
