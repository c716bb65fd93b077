-- input t: {"s":"hello world"}

SELECT INITCAP(s) AS s FROM t;
