-- fold
-- input c: {"id":"a","tier":"gold"}
-- input c: {"id":"b","tier":"gold"}
-- batch c
-- input c delete: {"id":"a"}

CREATE TABLE c (id VARCHAR PRIMARY KEY, tier VARCHAR) WITH ('topic' = 'c');
SELECT tier, COUNT(*) AS n FROM c GROUP BY tier;
