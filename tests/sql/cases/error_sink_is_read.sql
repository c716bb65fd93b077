-- fail: is a SINK

CREATE SINK out WITH ('connector' = 'kafka');
SELECT * FROM out;
