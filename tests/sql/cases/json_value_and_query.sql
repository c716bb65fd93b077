-- input t: {"doc":"{\"a\":{\"b\":[1,2.50,\"x\"]},\"n\":null}"}

SELECT JSON_VALUE(doc, '$.a.b[1]') AS v, JSON_QUERY(doc, '$.a') AS q, JSON_VALUE(doc, '$.a') AS none,
  JSON_VALUE(doc, '$.n') AS n FROM t;
