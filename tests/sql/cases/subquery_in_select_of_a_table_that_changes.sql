-- input customers: {"id":"a","tier":"gold"}
-- input customers: {"id":"b","tier":"silver"}
-- input tiers: {"tier":"gold"}
-- batch tiers
-- input tiers: {"tier":"silver"}
-- batch tiers
-- input tiers delete key=gold: {"tier":"gold"}
-- fold
-- sorted

CREATE TABLE customers (id VARCHAR PRIMARY KEY, tier VARCHAR) WITH ('topic' = 'customers');
CREATE TABLE tiers (tier VARCHAR PRIMARY KEY) WITH ('topic' = 'tiers');
SELECT id, tier IN (SELECT tier FROM tiers) AS known FROM customers;
