-- sorted
-- input cur: {"currency":"EUR","rate":"1.0000"}
-- input cur: {"currency":"EUR","rate":"1.0500"}
-- bounded cur
-- input o: {"id":1,"currency":"EUR"}
-- input o: {"id":3,"currency":"JPY"}

CREATE TABLE cur (currency VARCHAR PRIMARY KEY, rate DECIMAL(8, 4)) WITH ('topic' = 'cur');
CREATE SOURCE o (id BIGINT, currency VARCHAR, proc_time AS PROCTIME()) WITH ('topic' = 'o');
SELECT o.id, c.rate FROM o LEFT JOIN cur FOR SYSTEM_TIME AS OF o.proc_time AS c ON o.currency = c.currency;
