-- fold
-- input t: {"op":"c","before":null,"after":{"id":1,"v":"a"}}
-- input t: {"op":"c","before":null,"after":{"id":2,"v":"b"}}
-- input t: {"op":"u","before":{"id":1,"v":"a"},"after":{"id":1,"v":"c"}}
-- input t: {"op":"d","before":{"id":2,"v":"b"},"after":null}

CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR) WITH ('topic' = 't', 'format' = 'debezium');
SELECT id, v FROM t;
