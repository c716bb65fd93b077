-- sorted
-- time o: ts
-- time s: ts
-- time rates: ts
-- bounded o
-- bounded s
-- bounded rates
-- input o: {"id":1,"currency":"EUR","ts":1000}
-- input s: {"id":1,"ts":9000}
-- input rates: {"currency":"EUR","rate":"1.10","ts":0}
-- input rates: {"currency":"EUR","rate":"1.20","ts":5000}

CREATE TABLE rates (currency VARCHAR PRIMARY KEY, rate DECIMAL(8, 2), ts BIGINT) WITH ('topic' = 'rates');
CREATE SOURCE o (id BIGINT, currency VARCHAR, ts TIMESTAMP(3)) WITH ('topic' = 'o', 'event.time.field' = 'ts');
CREATE SOURCE s (id BIGINT, ts TIMESTAMP(3)) WITH ('topic' = 's', 'event.time.field' = 'ts');
SELECT o.id, r.rate, s.ts FROM o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON r.currency = o.currency
JOIN s ON o.id = s.id AND s.ts BETWEEN o.ts AND o.ts + INTERVAL '20' MINUTE;
