-- time s: ts
-- input s: {"v":9223372036854775806,"ts":1000}
-- input s: {"v":5,"ts":11000}

CREATE SOURCE s (v BIGINT, ts BIGINT) WITH ('topic' = 's');
SELECT SUM(v) AS v, window_end FROM s WINDOW HOPPING(20s, 10s);
