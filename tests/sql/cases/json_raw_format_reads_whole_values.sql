-- input t: {"a":1.10}

CREATE SOURCE t (value VARCHAR) WITH ('topic' = 't', 'format' = 'raw');
SELECT value, JSON_VALUE(value, '$.a') AS a FROM t;
