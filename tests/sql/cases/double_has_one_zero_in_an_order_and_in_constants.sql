-- final
-- sorted
-- bounded t
-- bounded u
-- input t: {"id":1,"k":"a","n":1,"f":0.0}
-- input t: {"id":2,"k":"b","n":null,"f":-0.0}
-- input t: {"id":3,"k":null,"n":3,"f":1.5}
-- input t: {"id":4,"k":"a","n":5,"f":null}
-- input t: {"id":5,"k":"c","n":-3,"f":0.1}
-- input u: {"id":1,"k":"a","n":3,"f":-0.0}
-- input u: {"id":2,"k":"z","n":null,"f":0.3}
-- input u: {"id":3,"k":"b","n":1,"f":1.5}
-- input u: {"id":7,"k":null,"n":5,"f":null}
-- input u: {"id":8,"k":"a","n":4,"f":null}

CREATE SOURCE t (id BIGINT, k VARCHAR, n BIGINT, f DOUBLE) WITH ('topic' = 't');
CREATE SOURCE u (id BIGINT, k VARCHAR, n BIGINT, f DOUBLE) WITH ('topic' = 'u');
SELECT id, RANK() OVER (ORDER BY f) AS r, SUM(id) OVER (ORDER BY f) AS s FROM t;
SELECT id FROM t ORDER BY f NULLS LAST, id LIMIT 1;
SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY f NULLS LAST, id DESC) AS r FROM t) AS x WHERE r = 1;
SELECT id FROM t WHERE f IN (CAST('-0.0' AS DOUBLE), 1.5, 0.3, 7, 9);
SELECT id FROM t WHERE f NOT IN (CAST('-0.0' AS DOUBLE), 1.5, 0.3, 7, 9);
SELECT id, f IN (SELECT f FROM u WHERE u.k = t.k) AS a FROM t;
SELECT CAST('-0.0' AS DOUBLE) BETWEEN 0 AND 1 AS a, CAST('-0.0' AS DOUBLE) IN (0, 1) AS b,
  CASE CAST('-0.0' AS DOUBLE) WHEN 0.0 THEN 1 ELSE 2 END AS c, CAST('-0.0' AS DOUBLE) IN (0, 1, 2, 3, 5) AS d;
