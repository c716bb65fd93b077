-- fold
-- sorted
-- input a: {"id":1,"x":"p"}
-- input a: {"id":2,"x":"q"}
-- input b: {"id":1,"y":"r"}
-- input b: {"id":1,"y":"s"}

CREATE TABLE a (id BIGINT PRIMARY KEY, x VARCHAR) WITH ('topic' = 'a');
CREATE TABLE b (id BIGINT PRIMARY KEY, y VARCHAR) WITH ('topic' = 'b');
SELECT a.id, x, y FROM a LEFT JOIN b ON a.id = b.id;
