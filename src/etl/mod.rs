//! ETLs: registry, plan, run, report. A plan is computed before anything is sent, and every planned event ends in
//! exactly one count.

pub mod context;
pub mod plan;
pub mod registry;
pub mod report;
pub mod run;

#[cfg(test)]
mod examples;
