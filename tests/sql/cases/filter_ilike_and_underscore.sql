-- input t: {"s":"CUST-1"}
-- input t: {"s":"cust-2"}
-- input t: {"s":"CUSX3"}

SELECT s FROM t WHERE s ILIKE 'cus__%';
