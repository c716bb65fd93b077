-- final
-- input s: {"t":"b","at":"2026-01-02T00:00:00Z"}
-- input s: {"t":"a","at":"2026-01-03T00:00:00Z"}

SELECT MIN(t) AS a, MAX(t) AS b, MIN(at) AS first, MAX(at) AS last FROM s;
