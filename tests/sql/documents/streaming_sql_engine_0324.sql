-- printed in streaming-sql-engine.md, line 324
-- PostgreSQL CDC → Kafka (Coming Soon)
CREATE STREAM order_events AS
SELECT * FROM postgres_orders_source
INTO kafka_events_sink
WITH (
    'postgres_orders_source.config_file' = 'config/postgres_source.yaml',
    'postgres_orders_source.table' = 'orders',
    'postgres_orders_source.cdc' = 'true',
    'kafka_events_sink.config_file' = 'config/kafka_sink.yaml',
    'kafka_events_sink.topic' = 'order-stream'
);

-- Cross-source enrichment: Kafka + PostgreSQL → ClickHouse (Coming Soon)
CREATE STREAM enriched_orders AS
SELECT
    o.*,
    c.customer_name,
    c.tier
FROM kafka_orders_source o
INNER JOIN postgres_customers_table c
    ON o.customer_id = c.customer_id
INTO clickhouse_analytics_sink
WITH (
    'kafka_orders_source.config_file' = 'config/kafka_source.yaml',
    'kafka_orders_source.group_id' = 'enrichment',
    'postgres_customers_table.config_file' = 'config/postgres_table.yaml',
    'postgres_customers_table.table' = 'customers',
    'clickhouse_analytics_sink.config_file' = 'config/clickhouse_sink.yaml',
    'clickhouse_analytics_sink.table' = 'enriched_orders'
);
