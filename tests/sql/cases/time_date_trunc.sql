-- input t: {"at":"2026-03-04T05:06:07.890Z"}

SELECT DATE_TRUNC('hour', at) AS h, DATE_TRUNC('day', at) AS d, DATE_TRUNC('month', at) AS m FROM t;
