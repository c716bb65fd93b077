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
SELECT k, window_start, COUNT(*) AS c FROM o FULL JOIN r USING (k) WINDOW TUMBLING(1m) GROUP BY k;
SELECT * FROM o FULL JOIN r USING (k) WINDOW TUMBLING(1m);
