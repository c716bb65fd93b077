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
SELECT k, COUNT(*) AS c FROM (t FULL JOIN u USING (k)) GROUP BY k;
SELECT q.k FROM (t FULL JOIN u USING (k)) JOIN (SELECT k FROM u) AS q USING (k);
SELECT k FROM t FULL JOIN (SELECT k FROM u) USING (k);
SELECT k, x FROM t FULL JOIN u USING (k) CROSS JOIN UNNEST([1]) AS e (x);
SELECT k, ROW_NUMBER() OVER w AS r FROM t FULL JOIN u USING (k) WINDOW w AS (PARTITION BY k ORDER BY t.id, u.id);
SELECT k, x.b FROM t RIGHT JOIN u USING (k) JOIN (SELECT k AS kk, id AS b FROM u) AS x ON x.kk = k;
SELECT t.id AS a, u.id AS b FROM t FULL JOIN u USING (k) ORDER BY k NULLS FIRST, a, b;
