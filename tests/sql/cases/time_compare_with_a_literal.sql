-- input t: {"at":"2026-03-04T05:06:07Z"}
-- input t: {"at":"2025-03-04T05:06:07Z"}

SELECT at FROM t WHERE at >= TIMESTAMP '2026-01-01 00:00:00';
