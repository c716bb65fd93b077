-- time orders: ts
-- input orders key=a: {"id":1,"customer":"a","tags":["new","gift"],"prices":[1.50,2.50,3.50],"items":[{"sku":"s1","qty":2},{"sku":"s2","qty":1}],"ts":1000}
-- input orders key=b: {"id":2,"customer":"b","tags":[],"prices":[9.50],"items":[],"ts":2000}
-- input orders key=a: {"id":3,"customer":"a","tags":null,"prices":null,"items":null,"ts":3000}
-- input orders key=c: {"id":4,"customer":"c","tags":["new",null],"prices":[],"items":[{"sku":"s1","qty":null},null],"ts":11000}

CREATE SOURCE orders (id BIGINT, customer VARCHAR, tags VARCHAR[], prices DECIMAL(10, 2)[], items STRUCT<sku VARCHAR, qty BIGINT>[], ts BIGINT)
WITH ('topic' = 'orders');
SELECT o.id, i.sku, i.qty FROM orders o CROSS JOIN UNNEST(o.items) AS i (sku, qty);
