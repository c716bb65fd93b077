-- input t: {"x":1}

SELECT 'it''s' AS s, "x" FROM t;
