-- final
-- input s: {"v":"99999999999999999999999999999999999999"}
-- input s: {"v":"5"}

CREATE SOURCE s (v DECIMAL(38, 0)) WITH ('topic' = 's');
SELECT SUM(v) AS s FROM s;
