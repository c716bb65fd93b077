-- input t: {"id":1,"s":61}
-- input t: {"id":2,"s":125}

SELECT COUNT(*) AS n, window_start FROM t WINDOW TUMBLING(1m)
WITH ('event.time.field' = 's', 'event.time.format' = 'epoch_seconds');
