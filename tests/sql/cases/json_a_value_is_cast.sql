-- input t: {"doc":"{\"price\":\"12.30\",\"n\":3}"}

SELECT CAST(JSON_VALUE(doc, '$.price') AS DECIMAL(10, 2)) * CAST(JSON_VALUE(doc, '$.n') AS BIGINT) AS total FROM t;
