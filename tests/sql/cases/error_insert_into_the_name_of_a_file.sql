-- topic orders
-- fail: did you mean 'file://out.jsonl'?

CREATE SOURCE orders (id BIGINT, customer VARCHAR, amount DECIMAL(10, 2), at TIMESTAMP(3)) WITH ('topic' = 'orders');
INSERT INTO "out.jsonl" SELECT id FROM orders;
