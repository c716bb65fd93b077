-- topic t
-- topic u
-- fail: say different things of `failure_strategy`

CREATE SOURCE t (s VARCHAR) WITH ('topic' = 't', 'failure_strategy' = 'FailBatch');
CREATE SOURCE u (s VARCHAR) WITH ('topic' = 'u', 'failure_strategy' = 'LogAndContinue');
SELECT s FROM t UNION ALL SELECT s FROM u;
