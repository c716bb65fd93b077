-- input t: {"id":1,"a":"1.239"}
-- input t: {"id":2,"a":"1.23"}
-- input t: {"id":3,"a":"1.230"}

CREATE SOURCE t (id BIGINT, a DECIMAL(5, 2)) WITH ('topic' = 't');
SELECT id, a FROM t;
