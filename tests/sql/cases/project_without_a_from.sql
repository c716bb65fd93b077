SELECT 1 + 1 AS two, 'x' || 'y' AS xy, NULL AS nothing;
