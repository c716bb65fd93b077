-- time s: ts
-- input s: {"v":"99999999999999999999999999999999999999","w":1,"ts":1000}
-- input s: {"v":"5","w":10,"ts":2000}
-- input s: {"v":"-5","w":100,"ts":3000}
-- input s: {"v":"4","w":1000,"ts":12000}

CREATE SOURCE s (v DECIMAL(38, 0), w BIGINT, ts BIGINT) WITH ('topic' = 's');
SELECT COUNT(*) AS n, SUM(w) AS w, SUM(v) AS v FROM s WINDOW TUMBLING(10s);
