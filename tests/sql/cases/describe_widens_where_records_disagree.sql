-- input t: {"a":1,"b":1,"c":1}
-- input t: {"a":1.5,"b":"x","c":null}

DESCRIBE t;
