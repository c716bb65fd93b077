-- final
SELECT COUNT(*) FILTER (WHERE NULL) AS none, COUNT(*) FILTER (WHERE x > 1) AS one, COUNT(*) AS two FROM (VALUES (1), (2)) t(x);
