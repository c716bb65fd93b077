-- input t: {"a":1,"b":2}

SELECT ARRAY[a, b, 3] AS list, MAKE_ARRAY(a, b)[2] AS two FROM t;
