-- fail: ORDER BY the event time
-- bounded s
-- input s: {"id":1,"v":1}

SELECT SUM(v) OVER (ROWS WINDOW BUFFER 3 ROWS ORDER BY id EXPIRE AFTER INTERVAL '1' MINUTE INACTIVITY) AS three FROM s;
