-- input t: {"id":1,"n":3,"at":"2024-01-31T00:00:00Z"}
-- input t: {"id":2,"n":-1,"at":"2024-01-31T00:00:00Z"}
-- input t: {"id":3,"n":null,"at":"2024-01-31T00:00:00Z"}
-- input t: {"id":4,"n":9000000000000000,"at":"2024-01-31T00:00:00Z"}

SELECT id, at + INTERVAL '1' DAY * n AS later, at - 2 * INTERVAL '1' MONTH AS before FROM t;
SELECT id FROM t WHERE at + INTERVAL '90' MINUTE * 2 > TIMESTAMP '2024-01-31 02:59:59' AND id = 1;
