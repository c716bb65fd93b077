-- fail: no operator
SELECT x # 3 AS a FROM (VALUES (5)) t(x);
