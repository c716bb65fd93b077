-- input orders key=a: {"id":1,"amount":"99.50"}
-- input orders key=b: {"id":2,"amount":"0.1"}

SELECT id, amount = CAST(0.1 AS DOUBLE) AS same, amount > CAST('1e1' AS DOUBLE) AS more FROM orders;
