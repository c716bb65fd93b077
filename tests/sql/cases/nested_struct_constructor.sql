-- input t: {"a":1,"b":"x"}

SELECT NAMED_STRUCT('p', a, 'q', b) AS s FROM t;
