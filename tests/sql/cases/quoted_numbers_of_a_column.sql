-- input orders key=a: {"id":1,"amount":"99.50"}
-- input orders key=b: {"id":2,"amount":"1000.00"}
-- input orders key=c: {"id":3,"amount":"20"}
-- input orders key=d: {"id":4,"amount":"many"}
-- input orders key=e: {"id":5,"amount":null}
-- input orders key=f: {"id":6,"amount":" 1e2 "}

SELECT id, amount > 99 AS more, amount = 20.00 AS same, amount IN (99.5, 1000) AS one_of, amount BETWEEN 50 AND 100 AS middle,
       CASE amount WHEN 20 THEN 'twenty' ELSE 'other' END AS said, id < amount AS below FROM orders;
