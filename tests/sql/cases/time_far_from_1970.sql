-- input events key=a: {"at":"2500-02-17 12:34:56"}
-- input events key=b: {"at":"1600-02-17 12:34:56"}
-- input events key=c: {"at":"9999-12-31 23:59:59"}
CREATE SOURCE events (at TIMESTAMP(3)) WITH ('topic' = 'events');
SELECT at, DATE_TRUNC('month', at) AS month, DATE_TRUNC('week', at) AS week, DATE_TRUNC('hour', at) AS hour,
       DATE_BIN(INTERVAL '15' MINUTE, at) AS bin, at = TIMESTAMP '9999-12-31 23:59:59' AS last,
       at AT TIME ZONE 'Europe/Berlin' AS there, at + INTERVAL '1' DAY > TIMESTAMP '2400-01-01 00:00:00' AS late FROM events;
