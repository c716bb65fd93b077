-- input t: {"a":"1.235"}
-- input t: {"a":"-1.235"}

CREATE SOURCE t (a DECIMAL(10, 3)) WITH ('topic' = 't');
SELECT CAST(a AS DECIMAL(10, 2)) AS two FROM t;
