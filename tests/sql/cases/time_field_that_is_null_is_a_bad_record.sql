-- input t: {"id":1,"ms":61000}
-- input t: {"id":2,"ms":null}
-- input t: {"id":3,"ms":62000}

SELECT COUNT(*) AS n, window_start FROM t WINDOW TUMBLING(1m) WITH ('event.time.field' = 'ms');
