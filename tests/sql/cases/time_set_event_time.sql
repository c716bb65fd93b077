-- input t: {"id":1,"ms":60000}

SELECT COUNT(*) AS n, window_start FROM (SELECT id, TO_TIMESTAMP_MILLIS(ms) AS _event_time FROM t) WINDOW TUMBLING(1m);
