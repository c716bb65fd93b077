-- fail: not true or false
SELECT COUNT(*) FILTER (WHERE x) AS n FROM (VALUES (1)) t(x);
