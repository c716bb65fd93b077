-- fail: DISTINCT ON
-- input o: {"id":1,"currency":"EUR","ts":1000}
-- input rates: {"currency":"EUR","rate":"1.10"}

CREATE TABLE rates (currency VARCHAR PRIMARY KEY, rate DECIMAL(8, 2)) WITH ('topic' = 'rates');
CREATE SOURCE o (id BIGINT, currency VARCHAR, ts TIMESTAMP(3)) WITH ('topic' = 'o', 'event.time.field' = 'ts');
SELECT DISTINCT ON (currency) currency, id FROM o ORDER BY currency, id;
