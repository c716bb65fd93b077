-- input t: {"x":"2.345"}
-- input t: {"x":"-2.345"}
-- input t: {"x":"2.5"}

CREATE SOURCE t (x DECIMAL(10, 3)) WITH ('topic' = 't');
SELECT ROUND(x, 2) AS two, ROUND(x) AS whole FROM t;
