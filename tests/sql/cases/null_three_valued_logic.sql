-- input t: {"a":true}
-- input t: {"a":false}
-- input t: {"a":null}

SELECT a, a AND NULL AS and_null, a OR NULL AS or_null, NOT a AS negated FROM t;
