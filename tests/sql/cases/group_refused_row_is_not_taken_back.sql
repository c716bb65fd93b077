-- final
-- input t key=a: {"k":"a","v":9223372036854775806}
-- input t key=b: {"k":"b","v":5}
-- batch t
-- input t key=b: {"k":"b","v":1}
-- batch t
-- input t key=a: {"k":"a","v":2}

CREATE TABLE t (k VARCHAR PRIMARY KEY, v BIGINT) WITH ('topic' = 't');
SELECT SUM(v) AS v, COUNT(*) AS n FROM t;
