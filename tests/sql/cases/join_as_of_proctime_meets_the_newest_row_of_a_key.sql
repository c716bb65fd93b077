-- sorted
-- input cur: {"currency":"EUR","rate":"1.0000"}
-- input cur: {"currency":"USD","rate":"1.1000"}
-- input cur: {"currency":"EUR","rate":"1.0500"}
-- bounded cur
-- input o: {"id":1,"currency":"EUR"}
-- input o: {"id":2,"currency":"USD"}
-- input o: {"id":3,"currency":"JPY"}

CREATE TABLE cur (currency VARCHAR, rate DECIMAL(8, 4), PRIMARY KEY (currency) NOT ENFORCED) WITH ('topic' = 'cur');
CREATE SOURCE o (id BIGINT, currency VARCHAR) WITH ('topic' = 'o');
SELECT o.id, cur.rate FROM o LEFT JOIN cur FOR SYSTEM_TIME AS OF PROCTIME() ON o.currency = cur.currency;
SELECT o.id, c.rate FROM o JOIN cur FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP AS c ON o.currency = c.currency;
