-- fail: is compared with a number and is none
-- input orders key=a: {"id":1,"amount":"10.10"}
CREATE SOURCE orders (id BIGINT, amount DECIMAL(10, 2)) WITH ('topic' = 'orders');
SELECT id FROM orders WHERE amount = 'abc';
