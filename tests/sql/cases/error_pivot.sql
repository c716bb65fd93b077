-- fail: PIVOT is not available

CREATE VIEW a AS SELECT * FROM (VALUES (1, 10), (1, 20), (2, 30)) v(k, v);
SELECT * FROM a PIVOT (SUM(v) FOR k IN (1, 2));
