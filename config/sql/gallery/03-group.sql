-- Group: a result that changes with every record, a row for each key
-- The table keeps one row a key and flashes what has changed.
SELECT currency, COUNT(*) AS orders, SUM(amount) AS spent, AVG(amount) AS average, MAX(amount) AS largest
FROM orders
GROUP BY currency;
