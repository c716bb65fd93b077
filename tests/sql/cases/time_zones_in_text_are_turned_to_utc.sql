-- input t: {"at":"2026-01-01T02:00:00+02:00"}

SELECT at FROM t;
