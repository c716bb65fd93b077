//! Kafka clients against the embedded broker and real Apache Kafka.
#![allow(clippy::unwrap_used)]

mod support;

mod consuming;
mod producing;
mod tailing;
