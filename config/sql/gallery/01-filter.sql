-- Filter: the orders that matter
-- F5 runs the statement under the cursor, x stops it, F6 shows how it works.
SELECT order_id, customer_id, amount, currency
FROM orders
WHERE amount > 300 AND currency IN ('EUR', 'CHF');
