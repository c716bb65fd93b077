-- input t: {"x":-2.5}
-- input t: {"x":3.7}

CREATE SOURCE t (x DOUBLE) WITH ('topic' = 't');
SELECT ABS(x) AS a, CEIL(x) AS c, FLOOR(x) AS f, SIGN(x) AS s, ROUND(x) AS r FROM t;
