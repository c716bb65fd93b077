-- time clicks: ts
-- input clicks: {"user":"u1","page":"/a","ts":0}
-- input clicks: {"user":"u2","page":"/a","ts":1000}
-- input clicks: {"user":"u1","page":"/b","ts":4000}
-- input clicks: {"user":"u1","page":"/a","ts":9000}
-- input clicks: {"user":"u2","page":"/c","ts":12000}
-- input clicks: {"user":"u1","page":"/a","ts":21000}
-- input clicks: {"user":"u1","page":"/b","ts":25000}

SELECT user, window_start, window_end, COUNT(*) AS n
FROM SESSION(TABLE clicks PARTITION BY user, DESCRIPTOR(_event_time), INTERVAL '5' SECOND)
GROUP BY user, window_start, window_end;
