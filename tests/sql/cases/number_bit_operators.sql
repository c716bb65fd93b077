-- input t: {"a":6,"b":3}

SELECT a & b AS both, a | b AS any, a << 1 AS twice FROM t;
