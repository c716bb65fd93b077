-- input t: {"id":1,"at":"1970-01-01T00:01:01Z"}
-- input t: {"id":2,"at":"1970-01-01T00:02:05Z"}

CREATE SOURCE t (id BIGINT, at VARCHAR) WITH ('topic' = 't', 'event.time.field' = 'at');
SELECT COUNT(*) AS n, window_start FROM t WINDOW TUMBLING(1m);
