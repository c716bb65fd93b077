-- input t: {"a":"2026-03-04","b":"2026-03-01"}

SELECT a > b AS later, DATEDIFF('day', b, a) AS days FROM t;
