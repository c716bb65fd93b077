-- input t key=k1 time=5000 header.source=web: {"id":1}
-- input t time=6000: {"id":2}

SELECT id, _key, _topic, _partition, _offset, _timestamp FROM t;
