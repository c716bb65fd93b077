-- input t: {"id":1,"meta":"{\"at\":61000}"}
-- input t: {"id":2,"meta":"{\"at\":125000}"}

SELECT COUNT(*) AS n, window_start FROM t WINDOW TUMBLING(1m)
WITH ('event.time.field' = 'CAST(META ->> ''at'' AS BIGINT)');
