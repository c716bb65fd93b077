-- Session: orders of a currency that come less than half a second apart belong together
SELECT window_start, window_end, currency, COUNT(*) AS orders, SUM(amount) AS spent
FROM orders
WINDOW SESSION(500ms)
GROUP BY currency
EMIT CHANGES;
