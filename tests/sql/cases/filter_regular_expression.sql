-- input t: {"s":"ab12"}
-- input t: {"s":"abcd"}

SELECT s FROM t WHERE s ~ '^[a-z]+[0-9]+$';
