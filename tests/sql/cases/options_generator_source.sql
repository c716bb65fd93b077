CREATE SOURCE g WITH ('connector' = 'generator', 'rows' = '3', 'fields.id.kind' = 'sequence');
SELECT id FROM g;
