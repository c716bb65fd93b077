-- final
SELECT x, STRING_AGG(s, ',') OVER (ORDER BY x ROWS 2 PRECEDING) AS texts,
       ARRAY_AGG(s) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS list,
       STRING_AGG(s, '') OVER (ORDER BY x) AS whole
FROM (VALUES (1, 1e17, 'a'), (2, 1.0, 'b'), (3, 3.0, 'a'), (4, 5.0, 'b')) t(x, f, s);
