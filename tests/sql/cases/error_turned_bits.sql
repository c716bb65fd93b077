-- fail: no operator
SELECT ~x AS a FROM (VALUES (5)) t(x);
