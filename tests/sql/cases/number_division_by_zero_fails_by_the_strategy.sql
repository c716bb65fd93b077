-- fail: (division)
-- input t: {"i":7,"j":2}
-- input t: {"i":-7,"j":0}

SELECT i / j AS q FROM t WITH ('failure_strategy' = 'FailBatch');
