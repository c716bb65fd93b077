SELECT 0.1 + 0.2 AS sum, 0.1 + 0.2 = 0.3 AS same;
