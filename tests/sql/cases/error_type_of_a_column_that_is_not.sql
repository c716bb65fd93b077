-- fail: there is no type INTT
-- bounded o
-- input o: {"id":1,"cust":"a","amount":"10.50","note":"x","ts":"2026-01-01T00:00:00Z"}
-- input o: {"id":2,"cust":"b","amount":"20.25","note":null,"ts":"2026-01-01T00:01:00Z"}

CREATE SOURCE t (
  id BIGINT,
  amount INTT NOT NULL
) WITH ('topic' = 'o');
SELECT * FROM t;
