-- input t: {"id":1,"more":5}
-- input t: {}

CREATE SOURCE t (id BIGINT, name VARCHAR) WITH ('topic' = 't');
SELECT id, name FROM t;
