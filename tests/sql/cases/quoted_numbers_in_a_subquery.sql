-- bounded orders:
-- input orders key=a: {"id":1,"amount":"99.50"}
-- input orders key=b: {"id":2,"amount":"9"}
-- input orders key=c: {"id":3,"amount":"9.0"}
-- final
-- sorted

SELECT id FROM orders WHERE amount IN (SELECT y FROM (VALUES (9), (100)) wanted(y));
SELECT y FROM (VALUES (9), (100)) wanted(y) WHERE y IN (SELECT amount FROM orders);
SELECT MAX(amount) AS most FROM orders HAVING MAX(amount) > 9.5;
