-- input t: {"s":"a-b-c"}

SELECT SPLIT_PART(s, '-', 2) AS two, SPLIT_PART(s, '-', 9) AS nine, SPLIT_PART(s, '-', -1) AS last FROM t;
