SELECT j->>'t' = 'x' AS eq, j->>'t' IS NULL AS nothing, j->>'t' IN ('x', 'y') AS among, j->>'t' LIKE 'x%' AS alike,
  '<' || j->>'t' || '>' AS joined, CAST(j->'n'->>'k' AS BIGINT) + 1 AS k, j->>'m' BETWEEN 'a' AND 'b' AS between_two,
  CASE WHEN j->>'t' = 'x' THEN 1 ELSE 0 END AS c
FROM (VALUES ('{"t":"x","n":{"k":4}}'), ('{"m":"aa"}')) v(j)
WHERE j->>'t' IS NULL OR j->>'t' = 'x';
