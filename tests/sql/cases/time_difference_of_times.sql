-- input t: {"a":"2026-01-01T00:00:00Z","b":"2026-01-01T01:30:00Z"}

SELECT DATEDIFF('minute', a, b) AS minutes, DATEDIFF('hour', a, b) AS hours, DATEDIFF('day', b, a) AS days FROM t;
