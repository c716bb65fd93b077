-- final
-- sorted
-- time sales: ts
-- bounded sales
-- input sales: {"region":"north","product":"tea","amount":10,"ts":1000}
-- input sales: {"region":"north","product":"rum","amount":20,"ts":2000}
-- input sales: {"region":"south","product":"tea","amount":5,"ts":3000}
-- input sales: {"region":null,"product":"tea","amount":7,"ts":11000}
-- input sales: {"region":"north","product":"tea","amount":1,"ts":12000}

CREATE SOURCE sales (region VARCHAR, product VARCHAR, amount BIGINT, ts BIGINT)
WITH ('topic' = 'sales');
SELECT region, product, COUNT(DISTINCT amount) AS n, MAX(amount) AS most FROM sales GROUP BY CUBE (region, product)
HAVING COUNT(*) > 1 AND GROUPING(product) = 0;
