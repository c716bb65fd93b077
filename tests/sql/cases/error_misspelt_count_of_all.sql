-- fail: there is no function
SELECT COUTN(*) FROM (VALUES (1)) t(x);
