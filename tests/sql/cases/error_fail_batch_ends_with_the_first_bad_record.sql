-- fail: failure_strategy
-- input t: {"s":"x"}

SELECT CAST(s AS BIGINT) AS n FROM t WITH ('failure_strategy' = 'FailBatch');
