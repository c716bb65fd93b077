-- input values key=a: {"d":"1e-16"}
-- input values key=b: {"d":"1e16"}
CREATE SOURCE values_of (d DOUBLE) WITH ('topic' = 'values');
SELECT d = 0.0 AS zero, d > 0.5 AS more, d IN (0.0, 1.5) AS one_of, d BETWEEN 0.0 AND 1.0 AS between_them,
       COALESCE(d, 0.0) AS first, CASE WHEN d < 1 THEN d ELSE 0.5 END AS chosen, CASE d WHEN 0.0 THEN 'zero' ELSE 'not' END AS said,
       NULLIF(d, 0.0) AS other, GREATEST(d, 0.0) AS most, LEAST(d, 0.5) AS least FROM values_of;
