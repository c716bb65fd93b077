-- final
-- input s: {"k":"x","v":"1"}
-- input s: {"k":"x","v":"two"}
-- input s: {"k":"x","v":"3"}
-- input s: {"k":"y","v":"four"}

SELECT k, COUNT(*) AS n, SUM(CAST(v AS BIGINT)) AS s FROM s GROUP BY k;
