-- input t: {"i":7,"j":2,"d":1.5,"s":"Hello World","b":true,"n":null}
-- input t: {"i":-7,"j":0,"d":-2.25,"s":"","b":false,"n":null}
-- input t: {"i":null,"j":3,"d":null,"s":null,"b":null,"n":null}

SELECT * FROM t;
