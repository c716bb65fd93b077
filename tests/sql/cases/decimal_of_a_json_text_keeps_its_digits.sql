-- input t: {"a":"0.000000000000000001"}

CREATE SOURCE t (a DECIMAL(38, 18)) WITH ('topic' = 't');
SELECT a, a * 3 AS three FROM t;
