-- fail: there is no Kafka environment
-- time s: ts
-- input s: {"v":1,"ts":1000}
-- input s: {"v":2,"ts":5000}
-- batch s
-- input s: {"v":3,"ts":9000}
-- batch s
-- input s: {"v":100,"ts":2000}
-- batch s
-- input s: {"v":4,"ts":12000}

SELECT v, SUM(v) OVER (ORDER BY _event_time) AS s, LAG(v) OVER (ORDER BY _event_time) AS before FROM s WITH ('late.data.strategy' = 'dead_letter');
