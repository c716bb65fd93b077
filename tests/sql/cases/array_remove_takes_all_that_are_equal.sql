SELECT ARRAY_REMOVE(ARRAY['x', 'y', 'x'], 'x') AS texts, ARRAY_REMOVE(ARRAY[1, 2, 1], 3) AS none, LIST_REMOVE(ARRAY[1, 2, 1], 1) AS numbers;
