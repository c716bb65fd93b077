-- input t: {"i":9,"j":4}

SELECT POWER(i, 2) AS p, SQRT(i) AS r, MOD(i, j) AS m FROM t;
