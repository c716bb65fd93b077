-- fail: GROUP BY ALL does not know
-- bounded o
-- input o: {"id":1,"cust":"a","amount":"10.50","note":"x","ts":"2026-01-01T00:00:00Z"}
-- input o: {"id":2,"cust":"b","amount":"20.25","note":null,"ts":"2026-01-01T00:01:00Z"}

CREATE SOURCE o (id BIGINT, cust VARCHAR, amount DECIMAL(10, 2), note VARCHAR, ts TIMESTAMP(3)) WITH ('topic' = 'o');
SELECT *, COUNT(*) AS n FROM o GROUP BY ALL;
