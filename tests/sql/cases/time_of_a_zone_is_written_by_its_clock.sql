-- input t: {"id":1,"at":"2024-07-01T12:00:00.5Z"}
-- input t: {"id":2,"at":"2024-01-01T03:30:00Z"}

SELECT DATE_FORMAT(z, 'yyyy-MM-dd HH:mm XXX') AS java, DATE_FORMAT(z, '%H:%M %z') AS c, EXTRACT(HOUR FROM z) AS part,
       HOUR(z) AS hour, DAY(z) AS day, LAST_DAY(z) AS last, UNIX_TIMESTAMP(z) AS seconds, DATE_FORMAT(at, 'HH:mm XXX z') AS utc
FROM (SELECT at, at AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York' AS z FROM t);
