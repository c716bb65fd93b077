-- input t: {"s":"1"}
-- input t: {"s":"x"}
-- fail: a record failed at `project s AS n`

CREATE SOURCE t (s VARCHAR) WITH ('topic' = 't', 'failure_strategy' = 'FailBatch');
SELECT CAST(s AS BIGINT) AS n FROM t;
