-- input t: {"doc":"{\"a\":{\"b\":1},\"list\":[10,20]}"}

SELECT doc -> 'a' AS a, doc -> 'a' ->> 'b' AS b, JSON_EXTRACT(doc, '$.list[0]') AS first FROM t;
