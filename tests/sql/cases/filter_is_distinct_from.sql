-- input t: {"a":1,"b":1}
-- input t: {"a":1,"b":null}
-- input t: {"a":null,"b":null}

SELECT a IS DISTINCT FROM b AS differs, a IS NOT DISTINCT FROM b AS same FROM t;
