-- input t: {"x":1}

SELECT CAST(x AS STRING) AS a, CAST(x AS TEXT) AS b, CAST(x AS VARCHAR(10)) AS c FROM t;
