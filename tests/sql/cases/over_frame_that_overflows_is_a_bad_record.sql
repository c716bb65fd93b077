-- time s: ts
-- input s: {"v":9223372036854775806,"ts":1000}
-- input s: {"v":5,"ts":2000}
-- input s: {"v":-9,"ts":3000}
-- input s: {"v":4,"ts":4000}

CREATE SOURCE s (v BIGINT, ts BIGINT) WITH ('topic' = 's');
SELECT v, SUM(v) OVER (ORDER BY _event_time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM s;
