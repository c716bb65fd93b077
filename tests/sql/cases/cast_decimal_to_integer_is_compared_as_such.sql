-- input t: {"a":"1.5"}
-- input t: {"a":"2.3"}
-- input t: {"a":"2.0"}
-- input t: {"a":"3.04"}

CREATE SOURCE t (a DECIMAL(10, 2)) WITH ('topic' = 't');
SELECT a AS two FROM t WHERE CAST(a AS INT) = 2;
SELECT a AS more FROM t WHERE CAST(a AS INT) > 1;
SELECT a AS one_of FROM t WHERE CAST(a AS DECIMAL(10, 1)) IN (3.0, 1.5);
