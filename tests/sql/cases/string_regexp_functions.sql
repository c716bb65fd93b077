-- input t: {"s":"order-123-x"}

SELECT REGEXP_REPLACE(s, '[0-9]+', '#') AS r, REGEXP_LIKE(s, '[0-9]') AS l FROM t;
