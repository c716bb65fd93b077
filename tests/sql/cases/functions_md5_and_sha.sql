-- input t: {"s":"abc"}

SELECT MD5(s) AS m, ENCODE(SHA256(s), 'hex') AS h FROM t;
