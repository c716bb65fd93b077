-- input t: {"doc":"{ half"}
-- input t: {"doc":null}

SELECT JSON_VALUE(doc, '$.a') AS v, JSON_EXISTS(doc, '$.a') AS e FROM t;
