-- fail: this subquery cannot be made a join

CREATE VIEW b AS SELECT * FROM (VALUES (1, 5), (1, 6), (2, 7)) v(k2, x2);
SELECT k2, (SELECT SUM(y) FROM (VALUES (1), (2)) v(y) WHERE y > k2) AS s FROM b;
