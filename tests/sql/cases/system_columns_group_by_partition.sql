-- final
-- sorted
-- input t: {"id":1}
-- input t: {"id":2}
-- split t
-- input t: {"id":3}

SELECT _partition, COUNT(*) AS n FROM t GROUP BY _partition;
