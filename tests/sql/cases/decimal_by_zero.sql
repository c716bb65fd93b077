-- input t: {"a":"1.10","b":"2.20","c":3}
-- input t: {"a":"99999999.99","b":"0.01","c":10}
-- input t: {"a":null,"b":"1.00","c":0}

CREATE SOURCE t (a DECIMAL(10, 2), b DECIMAL(10, 2), c BIGINT) WITH ('topic' = 't');
SELECT a / c AS quotient FROM t;
