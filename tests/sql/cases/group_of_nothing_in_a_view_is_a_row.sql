-- sorted
-- final
CREATE VIEW c AS SELECT COUNT(*) AS n FROM (SELECT y FROM (VALUES (1)) u(y) WHERE y > 5) e;
SELECT x, n FROM (VALUES (1), (2)) t(x) JOIN c ON c.n < t.x;
