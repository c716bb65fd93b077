-- final
-- input s: {"k":""}
-- input s: {"k":null}
-- input s: {"k":""}

SELECT k, COUNT(*) AS n FROM s GROUP BY k;
