-- sorted
-- bounded o
-- bounded cur
-- time o: ts
-- time cur: ts
-- input o: {"id":1,"cust":"a","ts":1000}
-- input o: {"id":2,"cust":"b","ts":2000}
-- input o: {"id":3,"cust":"a","ts":61000}
-- input cur: {"cust":"a","rate":"1.00","ts":500000}
-- input cur: {"cust":"b","rate":"2.00","ts":500000}

CREATE SOURCE o (id BIGINT, cust VARCHAR, ts BIGINT) WITH ('topic' = 'o');
CREATE TABLE cur (cust VARCHAR PRIMARY KEY, rate DECIMAL(8, 2), ts BIGINT) WITH ('topic' = 'cur');
SELECT window_start, COUNT(*) AS n FROM o JOIN cur ON o.cust = cur.cust WINDOW TUMBLING(1m) GROUP BY window_start EMIT FINAL;
