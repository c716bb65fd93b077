-- fail: NATURAL cannot stand

CREATE VIEW l AS SELECT k, a FROM (VALUES ('x', 1)) v(k, a);
CREATE VIEW r AS SELECT k, b FROM (VALUES ('y', 2)) v(k, b);
SELECT * FROM l NATURAL LEFT JOIN (SELECT * FROM r WHERE b > 1) AS s;
