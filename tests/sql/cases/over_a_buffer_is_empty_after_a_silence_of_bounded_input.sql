-- sorted
-- bounded s
-- time s: ts
-- input s: {"id":1,"k":"a","v":1,"ts":1000}
-- input s: {"id":2,"k":"a","v":2,"ts":2000}
-- input s: {"id":3,"k":"b","v":5,"ts":2500}
-- input s: {"id":4,"k":"a","v":3,"ts":3000}
-- batch s
-- input s: {"id":5,"k":"a","v":4,"ts":63000}
-- input s: {"id":6,"k":"a","v":5,"ts":123001}
-- batch s
-- input s: {"id":7,"k":"a","v":6,"ts":124000}
-- input s: {"id":8,"k":"b","v":7,"ts":400000}

SELECT id, SUM(v) OVER (ROWS WINDOW BUFFER 3 ROWS PARTITION BY k ORDER BY _event_time EXPIRE AFTER INTERVAL '1' MINUTE INACTIVITY) AS three,
  ROW_NUMBER() OVER (ROWS WINDOW BUFFER 3 ROWS PARTITION BY k ORDER BY _event_time EXPIRE AFTER INTERVAL '1' MINUTE INACTIVITY) AS place,
  LEAD(v) OVER (ROWS WINDOW BUFFER 3 ROWS PARTITION BY k ORDER BY _event_time EXPIRE AFTER INTERVAL '1' MINUTE INACTIVITY) AS next,
  SUM(v) OVER (PARTITION BY k ORDER BY _event_time) AS all_of_them
FROM s;
