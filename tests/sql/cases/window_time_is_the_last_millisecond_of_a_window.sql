-- final
-- bounded orders
-- time orders: ts
-- input orders: {"k":"a","ts":1000}
-- input orders: {"k":"b","ts":61000}

SELECT window_end, window_time, w.window_time AS again, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(_event_time), INTERVAL '1' MINUTE)) AS w
GROUP BY window_start, window_end, window_time;
