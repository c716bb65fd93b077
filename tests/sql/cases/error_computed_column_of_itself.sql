-- fail: the column `a` is computed from itself
-- input o: {"b":1}

CREATE SOURCE o (a AS a + b, b BIGINT) WITH ('topic' = 'o');
SELECT a FROM o;
