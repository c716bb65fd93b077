-- fail: read them from a subquery
-- input s: {"id":1,"v":1}

SELECT id, SUM(v) OVER (ROWS WINDOW BUFFER 3 ROWS ORDER BY _event_time EMIT ON BUFFER FULL) AS three,
  SUM(v) OVER (ROWS WINDOW BUFFER 2 ROWS ORDER BY _event_time) AS two
FROM s;
