-- input t: {"x":1.1}
-- input t: {"x":1e30}

CREATE SOURCE t (x DOUBLE) WITH ('topic' = 't');
SELECT CAST(x AS DECIMAL(10, 2)) AS a FROM t;
