-- fail: JSON_TABLE is not known here

SELECT * FROM JSON_TABLE('[]', '$' COLUMNS (x INT PATH '$'));
