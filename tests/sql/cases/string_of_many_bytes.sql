-- input t: {"s":"naïve 日本"}

SELECT CHAR_LENGTH(s) AS n, UPPER(s) AS u, SUBSTRING(s, 7, 1) AS one, OCTET_LENGTH(s) AS bytes FROM t;
