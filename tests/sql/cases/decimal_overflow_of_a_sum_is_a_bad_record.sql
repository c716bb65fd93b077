-- input t: {"a":"99999999999999999999999999999999999999"}
-- input t: {"a":"2"}

CREATE SOURCE t (a DECIMAL(38, 0)) WITH ('topic' = 't');
SELECT a + 1 AS more FROM t;
