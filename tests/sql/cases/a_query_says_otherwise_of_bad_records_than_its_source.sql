-- input t: {"s":"1"}
-- input t: {"s":"x"}

CREATE SOURCE t (s VARCHAR) WITH ('topic' = 't', 'failure_strategy' = 'FailBatch');
SELECT CAST(s AS BIGINT) AS n FROM t WITH ('failure_strategy' = 'LogAndContinue');
