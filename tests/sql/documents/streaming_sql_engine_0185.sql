-- printed in streaming-sql-engine.md, line 185
CREATE STREAM AS SELECT * FROM 'kafka://localhost:9092/topic' INTO 'file:///output/data.json'
