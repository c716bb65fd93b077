-- input t header.b=1 header.a=2: {"id":1}

SELECT HEADER_KEYS() AS keys FROM t;
