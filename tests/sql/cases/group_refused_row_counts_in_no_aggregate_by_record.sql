-- input s: {"k":"x","v":9223372036854775806,"w":1}
-- input s: {"k":"x","v":5,"w":10}
-- input s: {"k":"x","v":1,"w":100}

CREATE SOURCE s (k VARCHAR, v BIGINT, w BIGINT) WITH ('topic' = 's');
SELECT k, COUNT(*) AS n, SUM(w) AS w, MAX(w) AS m, SUM(v) AS v FROM s GROUP BY k WITH ('emit.granularity' = 'record');
