-- input orders key=a: {"id":1,"amount":"10.10"}
-- input orders key=a: {"id":2,"amount":"9"}
-- input orders key=a: {"id":30,"amount":"100.5"}

CREATE SOURCE orders (id BIGINT, amount DECIMAL(10, 2)) WITH ('topic' = 'orders');
SELECT id, amount > '9.5' AS more, amount = '10.1' AS same, id IN ('01', '30') AS one_of, id BETWEEN '1' AND '2' AS low FROM orders WHERE id < '100';
