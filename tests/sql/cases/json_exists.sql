-- input t: {"doc":"{\"a\":{\"b\":1}}"}

SELECT JSON_EXISTS(doc, '$.a.b') AS yes, JSON_EXISTS(doc, '$.a.c') AS no FROM t;
