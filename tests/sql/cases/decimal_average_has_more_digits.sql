-- final
-- input t: {"a":"1.00"}
-- input t: {"a":"2.01"}

CREATE SOURCE t (a DECIMAL(10, 2)) WITH ('topic' = 't');
SELECT AVG(a) AS mean FROM t;
