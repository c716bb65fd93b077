//! Kafka clients against the embedded broker and real Apache Kafka.
#![allow(clippy::unwrap_used)]

mod support;

mod authentication;
mod consuming;
mod headless;
mod outage;
mod producing;
mod real;
mod recreated;
mod sql;
mod tailing;
