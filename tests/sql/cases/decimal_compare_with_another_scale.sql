-- input t: {"a":"1.50"}
-- input t: {"a":"1.51"}

CREATE SOURCE t (a DECIMAL(10, 2)) WITH ('topic' = 't');
SELECT a = 1.5 AS same, a > 1.500 AS more FROM t;
