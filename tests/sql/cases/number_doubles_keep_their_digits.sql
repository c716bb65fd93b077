-- input t: {"x":0.1,"y":0.2}

CREATE SOURCE t (x DOUBLE, y DOUBLE) WITH ('topic' = 't');
SELECT x + y AS sum FROM t;
