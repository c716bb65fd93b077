-- time clicks: ts
-- input clicks: {"user":"u1","page":"/a","ts":0}
-- input clicks: {"user":"u2","page":"/a","ts":1000}
-- input clicks: {"user":"u1","page":"/b","ts":4000}
-- input clicks: {"user":"u1","page":"/a","ts":9000}
-- input clicks: {"user":"u2","page":"/c","ts":12000}
-- input clicks: {"user":"u1","page":"/a","ts":21000}
-- input clicks: {"user":"u1","page":"/b","ts":25000}

SELECT COUNT(*) AS n, TUMBLE_START(_event_time, INTERVAL '10' SECOND) AS s, TUMBLE_END(_event_time, INTERVAL '10' SECOND) AS e
FROM clicks GROUP BY TUMBLE(_event_time, INTERVAL '10' SECOND);
