-- input t key=k1: {"id":1}

SELECT *, _key FROM t;
