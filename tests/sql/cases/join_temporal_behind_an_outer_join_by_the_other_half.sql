-- sorted
-- time o: ts
-- time s: ts
-- time rates: ts
-- input o: {"id":1,"currency":"EUR","ts":1000}
-- input o: {"id":2,"currency":"EUR","ts":7000}
-- input o: {"id":3,"currency":"EUR","ts":7500}
-- input s: {"id":1,"ts":500}
-- input s: {"id":2,"ts":4000}
-- input rates: {"currency":"EUR","rate":"1.10","ts":0}
-- input rates: {"currency":"EUR","rate":"1.20","ts":3900}
-- input rates: {"currency":"EUR","rate":"1.30","ts":6000}

CREATE TABLE rates (currency VARCHAR PRIMARY KEY, rate DECIMAL(8, 2), ts BIGINT) WITH ('topic' = 'rates');
CREATE SOURCE o (id BIGINT, currency VARCHAR, ts TIMESTAMP(3)) WITH ('topic' = 'o', 'event.time.field' = 'ts');
CREATE SOURCE s (id BIGINT, ts TIMESTAMP(3)) WITH ('topic' = 's', 'event.time.field' = 'ts');
-- What has no partner asks for no version.
SELECT o.id, r.rate FROM o LEFT JOIN s ON o.id = s.id AND s.ts BETWEEN o.ts - INTERVAL '5' SECOND AND o.ts
LEFT JOIN rates FOR SYSTEM_TIME AS OF s.ts AS r ON r.currency = o.currency;
