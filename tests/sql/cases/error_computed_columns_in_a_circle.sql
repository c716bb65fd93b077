-- fail: `a`, `c` are computed from each other in a circle
-- input o: {"b":1}

CREATE SOURCE o (a AS c + 1, b BIGINT, c AS a - b) WITH ('topic' = 'o');
SELECT a FROM o;
