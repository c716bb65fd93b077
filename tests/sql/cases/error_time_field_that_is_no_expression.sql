-- fail: which is no expression
-- input t: {"id":1}

SELECT COUNT(*) AS n FROM t WINDOW TUMBLING(1m) WITH ('event.time.field' = 'a +');
