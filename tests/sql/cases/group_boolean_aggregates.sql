-- final
-- input s: {"b":true}
-- input s: {"b":false}
-- input s: {"b":null}

SELECT BOOL_AND(b) AS every, BOOL_OR(b) AS any FROM s;
