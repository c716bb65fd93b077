-- time s: ts
-- input s: {"v":"b","ts":2000}
-- input s: {"v":"a","ts":1000}
-- input s: {"v":"c","ts":3000}

SELECT FIRST_VALUE(v ORDER BY ts) AS f, LAST_VALUE(v ORDER BY ts) AS l FROM s WINDOW TUMBLING(10s)
WITH ('watermark.max_out_of_orderness' = '10s');
