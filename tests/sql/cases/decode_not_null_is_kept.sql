-- input t: {"id":1}
-- input t: {"other":2}

CREATE SOURCE t (id BIGINT NOT NULL, other BIGINT) WITH ('topic' = 't');
SELECT id, other FROM t;
