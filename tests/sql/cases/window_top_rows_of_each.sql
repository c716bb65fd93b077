-- time clicks: ts
-- input clicks: {"user":"u1","page":"/a","ts":0}
-- input clicks: {"user":"u2","page":"/a","ts":1000}
-- input clicks: {"user":"u1","page":"/b","ts":4000}
-- input clicks: {"user":"u1","page":"/a","ts":9000}
-- input clicks: {"user":"u2","page":"/c","ts":12000}
-- input clicks: {"user":"u1","page":"/a","ts":21000}
-- input clicks: {"user":"u1","page":"/b","ts":25000}

SELECT user, n, window_end FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY n DESC, user) AS rn FROM (
    SELECT user, window_start, window_end, COUNT(*) AS n FROM clicks WINDOW TUMBLING(30s) GROUP BY user
  )
) WHERE rn = 1;
