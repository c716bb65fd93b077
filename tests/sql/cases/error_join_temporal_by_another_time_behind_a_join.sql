-- fail: stands behind another join
-- time o: ts
-- time s: ts
-- input o: {"id":1,"currency":"EUR","ts":1000,"paid":2000}
-- input s: {"id":1,"ts":9000}
-- input rates: {"currency":"EUR","rate":"1.10","ts":0}

CREATE TABLE rates (currency VARCHAR PRIMARY KEY, rate DECIMAL(8, 2), ts BIGINT) WITH ('topic' = 'rates');
CREATE SOURCE o (id BIGINT, currency VARCHAR, ts TIMESTAMP(3), paid TIMESTAMP(3)) WITH ('topic' = 'o', 'event.time.field' = 'ts');
CREATE SOURCE s (id BIGINT, ts TIMESTAMP(3)) WITH ('topic' = 's', 'event.time.field' = 'ts');
-- What is said of the event time of a half says nothing of another time that it carries.
SELECT o.id, r.rate FROM o JOIN s ON o.id = s.id AND s.ts BETWEEN o.ts AND o.ts + INTERVAL '20' MINUTE
JOIN rates FOR SYSTEM_TIME AS OF o.paid AS r ON r.currency = o.currency;
