-- input t: {"v":1,"at":"2026-01-01T00:00:01Z"}
-- input t: {"v":2,"at":"2026-01-01T00:04:59Z"}
-- input t: {"v":4,"at":"2026-01-01T00:05:00Z"}

SELECT SUM(v) AS s, window_start FROM t WINDOW TUMBLING(at, INTERVAL '5' MINUTE) WITH ('event.time.field' = 'at');
