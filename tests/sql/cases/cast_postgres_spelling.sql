-- input t: {"s":"42","x":1}

SELECT s::BIGINT + 1 AS n, x::VARCHAR || '!' AS s FROM t;
