-- final
-- sorted
-- bounded o
-- bounded r
-- input o: {"id":1,"k":"a","ts":"2024-01-01T00:00:50Z"}
-- input o: {"id":2,"k":"a","ts":"2024-01-01T00:00:10Z"}
-- input o: {"id":3,"k":"b","ts":"2024-01-01T00:01:20Z"}
-- input r: {"id":1,"k":"z","w":10,"ts":"2024-01-01T00:00:50Z"}
-- input r: {"id":2,"k":"a","w":20,"ts":"2024-01-01T00:00:12Z"}

CREATE SOURCE o (id BIGINT, k VARCHAR, ts TIMESTAMP(3)) WITH ('topic' = 'o', 'event.time.field' = 'ts', 'watermark.max_out_of_orderness' = '1h');
CREATE SOURCE r (id BIGINT, k VARCHAR, w BIGINT, ts TIMESTAMP(3)) WITH ('topic' = 'r', 'event.time.field' = 'ts', 'watermark.max_out_of_orderness' = '1h');
SELECT CAST(ts AS VARCHAR) AS a, id || '@' || ts AS b, CAST(ts AT TIME ZONE 'Europe/Berlin' AS VARCHAR) AS c, TRY_CAST(ts AS VARCHAR) AS d FROM o;
SELECT CAST(TIMESTAMP '2024-05-15 10:00:00.5' AS VARCHAR) AS a, CAST(DATE '2024-01-02' AS VARCHAR) AS b;
SELECT id FROM o WHERE CAST(ts AS VARCHAR) LIKE '2024-01-01 00:00:%';
