-- Hopping windows: how payments went in the last half minute, every five seconds, each window once
SELECT window_start, window_end, status, COUNT(*) AS payments, SUM(amount) AS total
FROM payments
WINDOW HOPPING(30s, 5s)
GROUP BY status
EMIT FINAL;
