-- input t header.env=prod: {"id":1}
-- input t header.env=test: {"id":2}
-- input t: {"id":3}

SELECT id FROM t WHERE HEADER('env') = 'prod';
