-- fail: LIMIT takes a number
SELECT x FROM (VALUES (1)) t(x) LIMIT abc;
