-- input counts: {"id":1,"seen":{"web":3,"app":1}}
-- input counts: {"id":2,"seen":{}}
-- input counts: {"id":3,"seen":null}

CREATE SOURCE counts (id BIGINT, seen MAP<VARCHAR, BIGINT>) WITH ('topic' = 'counts');
SELECT o.id, c.k, c.v FROM counts o CROSS JOIN UNNEST(o.seen) AS c (k, v);
SELECT o.id, key, value FROM counts o LEFT JOIN UNNEST(o.seen) ON TRUE;
