-- printed in streaming-sql-engine.md, line 953
CREATE STREAM enriched_orders AS
        SELECT o.*, c.customer_name
        FROM kafka_orders_source o
        INNER JOIN customers_table c
            ON o.customer_id = c.customer_id
        INTO file_enriched_sink
        WITH (
            'kafka_orders_source.config_file' = 'config/kafka_source.yaml',
            'kafka_orders_source.group_id' = 'enrichment',
            'file_enriched_sink.config_file' = 'config/file_sink.yaml',
            'file_enriched_sink.path' = '/output/enriched_orders.json'
        );
