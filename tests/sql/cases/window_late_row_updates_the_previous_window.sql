-- time clicks: ts
-- input clicks: {"user":"u1","ts":1000}
-- input clicks: {"user":"u2","ts":5000}
-- batch clicks
-- input clicks: {"user":"u1","ts":12000}
-- batch clicks
-- input clicks: {"user":"u1","ts":3000}
-- batch clicks
-- input clicks: {"user":"u1","ts":25000}

SELECT COUNT(*) AS n, window_start FROM clicks WINDOW TUMBLING(10s) EMIT CHANGES
WITH ('late.data.strategy' = 'update_previous');
