-- input t: {"id":1}
-- input t: {"id":
-- input t: {"id":"x"}
-- input t: [1]
-- input t: {"id":5}

CREATE SOURCE t (id BIGINT) WITH ('topic' = 't');
SELECT id FROM t;
