-- fail: event time
-- sorted
-- time rates: ts
-- time o: ts
-- input rates: {"currency":"EUR","rate":"1.10","ts":0}
-- input rates: {"currency":"EUR","rate":"1.20","ts":5000}
-- input o: {"id":1,"currency":"EUR","booked":1000,"ts":6000}
-- input o: {"id":2,"currency":"EUR","booked":6000,"ts":7000}

CREATE TABLE rates (currency VARCHAR PRIMARY KEY, rate DECIMAL(8, 2), ts BIGINT) WITH ('topic' = 'rates');
CREATE SOURCE o (id BIGINT, currency VARCHAR, booked BIGINT, ts BIGINT) WITH ('topic' = 'o');
SELECT o.id, r.rate FROM o JOIN rates FOR SYSTEM_TIME AS OF o.booked AS r ON o.currency = r.currency;
