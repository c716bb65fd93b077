-- fail: there is no type
SELECT CAST(k AS INTEGR) AS a FROM (VALUES (1)) t(k);
