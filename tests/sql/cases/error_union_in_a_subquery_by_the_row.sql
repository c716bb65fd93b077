-- fail: UNION in a subquery
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
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k UNION ALL SELECT 1 FROM t AS o WHERE o.n = t.n);
