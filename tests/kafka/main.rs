//! Kafka clients against the embedded broker and real Apache Kafka.
