//! A plan at work: a task per chain of operators and instance, bounded channels between them, watermarks and barriers
//! in line with the rows. It knows no SQL text and draws nothing.

pub mod job;
pub mod settings;
pub mod start;

pub mod chunk;
pub mod join;
pub mod operator;

pub mod graph;
pub mod build;
pub mod exact;
pub mod evaluate;
pub mod map;
pub mod upsert;

mod chain;
mod coordinator;
mod exchange;
mod inlet;
mod report;
mod sink;
mod source;
mod tasks;
mod worker;

pub mod dead_letters;
pub mod failures;
pub mod statistics;
