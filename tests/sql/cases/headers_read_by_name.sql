-- input t header.source=web header.trace=abc: {"id":1}
-- input t: {"id":2}

SELECT id, HEADER('source') AS source, HAS_HEADER('trace') AS traced, HEADER('none') AS none FROM t;
