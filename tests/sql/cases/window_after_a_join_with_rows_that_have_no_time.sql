-- bounded orders
-- input orders time=1000: {"k":"a"}
-- input orders time=2000: {"k":"a"}
-- input orders time=61000: {"k":"b"}
-- input orders time=62000: {"k":"a"}
-- final
SELECT d.name, window_start, COUNT(*) AS n
FROM orders o JOIN (VALUES ('a', 'Ann'), ('b', 'Bea')) d(k, name) ON o.k = d.k
WINDOW TUMBLING(1m) GROUP BY d.name;
