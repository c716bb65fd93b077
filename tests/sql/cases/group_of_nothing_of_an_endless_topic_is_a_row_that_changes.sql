-- input orders: {"v":1}
-- batch orders
-- input orders: {"v":7}
SELECT COUNT(*) AS n FROM orders WHERE v > 5 EMIT CHANGES;
