-- printed in streaming-sql-engine.md, line 241
-- Kafka → File (JSON Lines) streaming pipeline
CREATE STREAM kafka_to_json AS
SELECT * FROM kafka_orders_source
INTO file_json_sink
WITH (
    'kafka_orders_source.config_file' = 'config/kafka_source.yaml',
    'kafka_orders_source.group_id' = 'file-export',
    'file_json_sink.config_file' = 'config/file_sink.yaml',
    'file_json_sink.path' = '/output/orders.jsonl'
);

-- Kafka → File (CSV) with transformation
CREATE STREAM kafka_to_csv AS
SELECT
    customer_id,
    order_id,
    SUM(amount) as total_spent,
    COUNT(*) as order_count
FROM kafka_orders_source
GROUP BY customer_id, order_id
INTO file_csv_sink
WITH (
    'kafka_orders_source.config_file' = 'config/kafka_source.yaml',
    'kafka_orders_source.group_id' = 'analytics',
    'file_csv_sink.config_file' = 'config/file_sink.yaml',
    'file_csv_sink.path' = '/output/customer_stats.csv',
    'file_csv_sink.format' = 'csv'
);

-- File (CSV) → Kafka streaming pipeline
CREATE STREAM csv_to_kafka AS
SELECT * FROM file_csv_source
WHERE amount > 100.0
INTO kafka_high_value_sink
WITH (
    'file_csv_source.config_file' = 'config/file_source.yaml',
    'file_csv_source.path' = '/data/input/*.csv',
    'file_csv_source.watch' = 'true',
    'kafka_high_value_sink.config_file' = 'config/kafka_sink.yaml',
    'kafka_high_value_sink.topic' = 'high-value-orders'
);

-- Kafka → File (Parquet) with windowing
CREATE STREAM kafka_to_parquet AS
SELECT
    customer_id,
    AVG(amount) as avg_order_value,
    COUNT(*) as order_count,
    window_start
FROM kafka_orders_source
WINDOW TUMBLING(1h)
GROUP BY customer_id, window_start
INTO file_parquet_sink
WITH (
    'kafka_orders_source.config_file' = 'config/kafka_source.yaml',
    'kafka_orders_source.group_id' = 'analytics',
    'file_parquet_sink.config_file' = 'config/file_sink.yaml',
    'file_parquet_sink.path' = '/output/hourly_stats.parquet',
    'file_parquet_sink.format' = 'parquet'
);
