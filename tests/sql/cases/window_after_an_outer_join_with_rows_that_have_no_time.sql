-- bounded orders
-- input orders time=1000: {"k":"a"}
-- input orders time=61000: {"k":"c"}
-- input orders time=62000: {"k":"a"}
-- final
SELECT d.name, window_start, COUNT(*) AS n
FROM orders o LEFT JOIN (VALUES ('a', 'Ann'), ('b', 'Bea')) d(k, name) ON o.k = d.k
WINDOW TUMBLING(1m) GROUP BY d.name;
