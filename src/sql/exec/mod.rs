//! A plan at work: a task per chain of operators and instance, bounded channels between them, watermarks and barriers
//! in line with the rows. It knows no SQL text and draws nothing.

pub mod job;
pub mod settings;

pub mod aggregate;
pub mod chunk;
pub mod group_aggregate;
pub mod join;
pub mod operator;
pub mod over;
pub mod unnest;
pub mod window;
pub mod window_assign;

pub mod deduplicate;
pub mod limit;
pub mod sort;
pub mod top_n;

pub mod build;
pub mod evaluate;
pub mod graph;
pub mod map;
pub mod upsert;

pub mod exchange;

mod again;
mod assemble;
mod budget;
mod chain;
mod columns;
mod coordinator;
mod ending;
mod every;
mod inlet;
mod lookup;
mod orders;
mod refusals;
mod report;
mod resume;
mod sink;
mod source;
mod start;
mod tasks;
mod told;
mod wires;
mod worker;

pub mod dead_letters;
pub mod failures;
pub mod statistics;

#[cfg(test)]
mod rows_and_restarts;
