-- fail: CONVERT is not known here

SELECT CONVERT(k, CHAR) AS c FROM (VALUES (1)) v(k);
