//! Kafka clients: settings, authentication, producer, consumer, health, the embedded broker. Nothing here knows an ETL or a screen.
