-- input t: {"id":1,"a":"123456.789"}
-- input t: {"id":2,"a":"1.5"}

CREATE SOURCE t (id BIGINT, a DECIMAL(5, 2)) WITH ('topic' = 't');
SELECT id, a FROM t;
