-- final
-- input s: {"k":"x","v":9223372036854775806,"w":1}
-- input s: {"k":"x","v":5,"w":10}
-- input s: {"k":"x","v":1,"w":100}
-- input s: {"k":"y","v":9223372036854775807,"w":1}
-- input s: {"k":"y","v":1,"w":20}
-- input s: {"k":"y","v":-1,"w":300}

CREATE SOURCE s (k VARCHAR, v BIGINT, w BIGINT) WITH ('topic' = 's');
SELECT k, COUNT(*) AS n, SUM(w) AS w, MAX(w) AS m, SUM(v) AS v FROM s GROUP BY k;
