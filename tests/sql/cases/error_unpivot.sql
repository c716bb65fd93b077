-- fail: UNPIVOT is not available

CREATE VIEW a AS SELECT * FROM (VALUES (1, 10), (1, 20), (2, 30)) v(k, v);
SELECT * FROM a UNPIVOT (w FOR q IN (k, v));
