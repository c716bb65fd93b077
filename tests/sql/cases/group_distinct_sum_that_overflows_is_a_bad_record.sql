-- final
-- input s: {"v":9223372036854775806,"w":1}
-- input s: {"v":9223372036854775806,"w":10}
-- input s: {"v":5,"w":100}

CREATE SOURCE s (v BIGINT, w BIGINT) WITH ('topic' = 's');
SELECT SUM(DISTINCT v) AS v, SUM(w) AS w, COUNT(*) AS n FROM s;
