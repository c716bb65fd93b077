-- input t: {"s":"CUST-1"}
-- input t: {"s":"cust-2"}
-- input t: {"s":"CUSX3"}
-- input t: {"s":null}

SELECT s FROM t WHERE s LIKE 'CUST-%';
