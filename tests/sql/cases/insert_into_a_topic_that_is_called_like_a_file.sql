-- input orders: {"id":1}

CREATE SOURCE orders (id BIGINT) WITH ('topic' = 'orders');
CREATE SINK "out.json" WITH ('topic' = 'out.json');
INSERT INTO "out.json" SELECT id FROM orders;
