-- fail: is VARCHAR beside BIGINT
-- input orders key=a: {"id":1,"amount":"10.10"}
SELECT COALESCE(amount, 0) AS amount FROM orders;
