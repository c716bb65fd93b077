-- printed in streaming-sql-engine.md, line 57
-- @app: my_first_app
-- @job_mode: simple

CREATE STREAM filtered_orders AS
SELECT order_id, customer_id, amount
FROM orders_input
WHERE amount > 100.0
INTO high_value_orders;
