-- time s: ts
-- input s: {"v":1,"ts":1000}
-- batch s
-- input s: {"v":2,"ts":11000}
-- batch s
-- input s: {"v":4,"ts":7000}

SELECT SUM(v) AS s, window_start FROM s WINDOW HOPPING(10s, 5s);
