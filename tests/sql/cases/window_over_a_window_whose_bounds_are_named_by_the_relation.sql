-- time orders: ts
-- input orders: {"customer":"a","amount":"10.50","ts":1000}
-- input orders: {"customer":"b","amount":"20.00","ts":2000}
-- input orders: {"customer":"a","amount":"5.25","ts":11000}
-- input orders: {"customer":"a","amount":"7.00","ts":31000}
-- input orders: {"customer":"b","amount":"0.75","ts":62000}
-- input orders: {"customer":"b","amount":"4.00","ts":75000}

CREATE SOURCE orders (customer VARCHAR, amount DECIMAL(10, 2), ts BIGINT) WITH ('topic' = 'orders');
CREATE STREAM tens AS
SELECT customer, window_start, window_end, SUM(amount) AS total FROM orders WINDOW TUMBLING(10s) GROUP BY customer;
SELECT window_start, MIN(t.window_start) AS first_part, MAX(t.window_end) AS last_part, COUNT(*) AS parts
FROM tens t WINDOW TUMBLING(30s);
