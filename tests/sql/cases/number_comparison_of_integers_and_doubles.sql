-- input t: {"i":3,"x":3.0}

CREATE SOURCE t (i BIGINT, x DOUBLE) WITH ('topic' = 't');
SELECT i = x AS same, i < x + 0.5 AS less FROM t;
