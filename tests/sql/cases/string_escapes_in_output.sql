-- input t: {"s":"tab\there \"quoted\" back\\slash\nline"}

SELECT s FROM t;
