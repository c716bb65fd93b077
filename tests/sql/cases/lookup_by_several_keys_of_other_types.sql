-- input orders: {"id":1,"currency":"EUR","amount":"10.50","at":1}
-- input orders: {"id":2,"currency":"USD","amount":"20.00","at":2}
-- input orders: {"id":3,"currency":null,"amount":"1.00","at":3}
-- input orders: {"id":4,"currency":"JPY","amount":"7.00","at":4}
-- input orders: {"id":5,"currency":"EUR","amount":"0.75","at":5}
-- bounded shops
-- input shops: {"id":1,"currency":"EUR","name":"first"}
-- input shops: {"id":5,"currency":"EUR","name":"fifth"}
-- input shops: {"id":2,"currency":"EUR","name":"other"}

CREATE SOURCE orders (id BIGINT, currency VARCHAR, amount DECIMAL(10, 2), at BIGINT) WITH ('topic' = 'orders');
CREATE SOURCE shops (id INT, currency VARCHAR, name VARCHAR) WITH ('topic' = 'shops', 'lookup.cache' = 'full');
SELECT o.id, s.name FROM orders o JOIN shops s ON o.currency = s.currency AND o.id = s.id;
