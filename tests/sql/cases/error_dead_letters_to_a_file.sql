-- fail: takes the name of a topic
-- input t: {"a":1}

SELECT a FROM t WITH ('failure_strategy' = 'SendToDLQ', 'dead_letter.topic' = 'file:///tmp/dlq.jsonl');
