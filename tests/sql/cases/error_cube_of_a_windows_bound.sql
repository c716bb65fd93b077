-- fail: every grouping set is of a window
-- time sales: ts
-- bounded sales
-- input sales: {"region":"north","product":"tea","amount":10,"ts":1000}
-- input sales: {"region":"north","product":"rum","amount":20,"ts":2000}
-- input sales: {"region":"south","product":"tea","amount":5,"ts":3000}
-- input sales: {"region":null,"product":"tea","amount":7,"ts":11000}
-- input sales: {"region":"north","product":"tea","amount":1,"ts":12000}

CREATE SOURCE sales (region VARCHAR, product VARCHAR, amount BIGINT, ts BIGINT)
WITH ('topic' = 'sales');
SELECT region, COUNT(*) AS n FROM TUMBLE(sales, INTERVAL '10' SECOND)
GROUP BY CUBE (window_start, region);
