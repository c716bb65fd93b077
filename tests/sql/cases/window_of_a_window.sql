-- time clicks: ts
-- input clicks: {"user":"u1","page":"/a","ts":0}
-- input clicks: {"user":"u2","page":"/a","ts":1000}
-- input clicks: {"user":"u1","page":"/b","ts":4000}
-- input clicks: {"user":"u1","page":"/a","ts":9000}
-- input clicks: {"user":"u2","page":"/c","ts":12000}
-- input clicks: {"user":"u1","page":"/a","ts":21000}
-- input clicks: {"user":"u1","page":"/b","ts":25000}

SELECT SUM(n) AS n, window_start FROM (
  SELECT window_start AS s, window_end AS e, COUNT(*) AS n, window_end AS _event_time FROM clicks WINDOW TUMBLING(5s)
) WINDOW TUMBLING(20s);
