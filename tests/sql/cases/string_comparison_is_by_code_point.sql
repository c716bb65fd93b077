-- input t: {"a":"Z","b":"a"}

SELECT a < b AS less, GREATEST(a, b) AS g FROM t;
