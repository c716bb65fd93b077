-- input t: {"a":1}

SELECT a FROM 'kafka://localhost:9092/t';
