//! Values that every layer shares. Nothing in here runs a task, opens a file, reads a clock or knows a client.

pub mod duration;
pub mod fault;
pub mod secret;

pub mod brokers;
pub mod connection;
pub mod environment;
pub mod etl;
pub mod record;
pub mod runner;

pub mod job;
pub mod progress;

pub mod lock;
pub mod ring;
pub mod series;
pub mod words;
