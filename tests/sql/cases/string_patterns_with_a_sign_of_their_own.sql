SELECT x, x LIKE '10!%' ESCAPE '!' AS exact, x LIKE '10!%%' ESCAPE '!' AS begins, x NOT LIKE '1_!%' ESCAPE '!' AS other, x RLIKE '^10' AS ten, x NOT RLIKE '%' AS plain
FROM (VALUES ('10%'), ('100'), ('10%!')) t(x);
SELECT U&'\00e9' AS e;
