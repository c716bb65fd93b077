//! Kafka clients: settings, authentication, producer, consumer, health, the embedded broker. Nothing here knows an ETL or a screen.
//!
//! Every client is made from a [`settings::Connection`], which has checked its environment without connecting.
//! Refused credentials end a client at once; a lost network is reported and got over with a capped backoff.

pub mod auth;
pub mod options;
pub mod settings;

pub mod cause;
pub mod context;
pub mod identity;

pub mod state;
pub mod stop;

pub mod client;
mod outage;
pub mod producer;
pub mod transaction;

mod copies;
mod reader;
pub mod survey;
pub mod tail;

pub mod backoff;
pub mod consumer;
mod group;

pub mod admin;

pub mod health;

pub mod embedded;
pub mod generator;
