//! # velox: the engine behind the `velox-tui` console
//!
//! Everything that the console and the headless commands do is in this library: configuration with Jinja,
//! payload templates, Kafka clients, connectors, ETL runs, streaming SQL, live tails and the screen itself. The binary only parses arguments and
//! turns the outcome into an exit code.
//!
//! Layers, from the bottom; an arrow never points up, and `tests/house` fails on one that does:
//!
//! ```text
//! {ui, cli} -> app -> {etl, sql} -> {connectors, kafka, formats} -> {config, template} -> {core, clock}
//! ```
//!
//! Invariants of this house:
//! - `core` holds values only: no task, no client, no terminal, no file, no clock.
//! - Only [`clock`] asks what time it is.
//! - Only `app::supervisor`, and `sql::exec` for the tasks of a SQL job, spawn tasks; every task reports its ending.
//! - Records wait (bounded queues, backpressure); views drop and count what they dropped.
//! - A secret is a [`core::secret::Secret`]: it can be used, never printed.

pub mod clock;
pub mod core;

pub mod config;
pub mod template;

pub mod kafka;

pub mod formats;

pub mod connectors;

pub mod etl;

pub mod sql;

pub mod app;

pub mod cli;
pub mod ui;
