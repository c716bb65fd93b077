-- input t: {"s":"order-1"}

SELECT STARTS_WITH(s, 'order') AS a, ENDS_WITH(s, '1') AS b, CONTAINS(s, '-') AS c FROM t;
