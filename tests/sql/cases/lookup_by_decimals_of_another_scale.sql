-- input orders: {"id":1,"currency":"EUR","amount":"10.50","at":1}
-- input orders: {"id":2,"currency":"USD","amount":"20.00","at":2}
-- input orders: {"id":3,"currency":null,"amount":"1.00","at":3}
-- input orders: {"id":4,"currency":"JPY","amount":"7.00","at":4}
-- input orders: {"id":5,"currency":"EUR","amount":"0.75","at":5}
-- bounded bands
-- input bands: {"amount":"10.5000","name":"ten and a half"}
-- input bands: {"amount":"7.0000","name":"seven"}
-- input bands: {"amount":"7.0001","name":"a little more"}
-- input bands: {"amount":"4","name":"four"}

CREATE SOURCE orders (id BIGINT, currency VARCHAR, amount DECIMAL(10, 2), at BIGINT) WITH ('topic' = 'orders');
CREATE SOURCE bands (amount DECIMAL(18, 4), name VARCHAR) WITH ('topic' = 'bands', 'lookup.cache' = 'FULL');
SELECT o.id, b.name FROM orders o JOIN bands b ON o.amount = b.amount;
SELECT o.id, b.name FROM orders o LEFT JOIN bands b ON o.id = b.amount;
