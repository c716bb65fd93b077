-- input e: {"id":1,"user":{"name":"Ann","address":{"city":"Oslo","zip":"0150"}},"tags":["x","y","z"],"items":[{"sku":"p1","price":1.25},{"sku":"p2","price":2.50}]}
-- input e: {"id":2,"user":{"name":"Bob","address":null},"tags":[],"items":[]}
-- input e: {"id":3,"user":null,"tags":null,"items":null}

SELECT items[2].sku AS sku, items[1].price AS price FROM e;
