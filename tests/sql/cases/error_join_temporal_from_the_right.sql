-- fail: stands behind the table of a JOIN
-- input o: {"id":1,"currency":"EUR","ts":1000}
-- input rates: {"currency":"EUR","rate":"1.10"}

CREATE TABLE rates (currency VARCHAR PRIMARY KEY, rate DECIMAL(8, 2)) WITH ('topic' = 'rates');
CREATE SOURCE o (id BIGINT, currency VARCHAR, ts TIMESTAMP(3)) WITH ('topic' = 'o', 'event.time.field' = 'ts');
SELECT o.id, r.rate FROM rates FOR SYSTEM_TIME AS OF o.ts AS r RIGHT JOIN o ON o.currency = r.currency;
