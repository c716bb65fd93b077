-- fail: the step of a cumulating window stands first
SELECT COUNT(*) FROM orders WINDOW CUMULATING(1d, 1h);
