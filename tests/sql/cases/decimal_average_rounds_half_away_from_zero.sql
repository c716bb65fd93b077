-- final
-- input s: {"k":"a","v":"0.00"}
-- input s: {"k":"a","v":"0.01"}
-- input s: {"k":"a","v":"0.01"}
-- input s: {"k":"b","v":"-0.01"}
-- input s: {"k":"b","v":"-0.01"}
-- input s: {"k":"b","v":"0.00"}

CREATE SOURCE s (k VARCHAR, v DECIMAL(10, 2)) WITH ('topic' = 's');
SELECT k, AVG(v) AS mean, SUM(v) / COUNT(*) AS quotient FROM s GROUP BY k;
