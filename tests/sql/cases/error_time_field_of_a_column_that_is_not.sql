-- fail: there is no column `tss`
-- input t: {"id":1,"ts":1}

SELECT COUNT(*) AS n FROM t WINDOW TUMBLING(1m) WITH ('event.time.field' = 'tss');
