-- topic s

CREATE SOURCE s (v BIGINT) WITH ('topic' = 's');
SELECT COUNT(*) AS n FROM s WINDOW TUMBLING(10s);
