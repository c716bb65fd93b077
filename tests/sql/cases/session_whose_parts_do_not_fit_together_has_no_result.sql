-- sorted
-- time s: ts
-- input s: {"k":"a","v":60000000000000000000000000000000000000,"ts":1000}
-- input s: {"k":"b","v":1,"ts":2000}
-- input s: {"k":"a","v":60000000000000000000000000000000000000,"ts":21000}
-- batch s
-- input s: {"k":"a","v":1,"ts":11000}
-- batch s
-- input s: {"k":"a","v":2,"ts":12000}
-- input s: {"k":"a","v":7,"ts":60000}

CREATE SOURCE s (k VARCHAR, v DECIMAL(38, 0), ts BIGINT)
WITH ('topic' = 's', 'watermark.max_out_of_orderness' = '20s');
SELECT k, SUM(v) AS total, COUNT(*) AS n FROM s WINDOW SESSION(10s) GROUP BY k;
