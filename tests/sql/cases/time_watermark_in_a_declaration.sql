-- input t: {"id":1,"at":"1970-01-01T00:00:30Z"}
-- batch t
-- input t: {"id":2,"at":"1970-01-01T00:01:05Z"}
-- batch t
-- input t: {"id":3,"at":"1970-01-01T00:00:58Z"}
-- batch t
-- input t: {"id":4,"at":"1970-01-01T00:01:30Z"}

CREATE STREAM t (id BIGINT, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '10' SECOND) WITH ('topic' = 't');
SELECT COUNT(*) AS n, window_start FROM t WINDOW TUMBLING(1m);
