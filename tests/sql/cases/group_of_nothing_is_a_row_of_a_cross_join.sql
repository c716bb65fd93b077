-- final
SELECT x, n FROM (VALUES (1)) t(x) CROSS JOIN (SELECT COUNT(*) AS n FROM (SELECT y FROM (VALUES (1)) u(y) WHERE y > 5) e) c;
