//! ETLs: registry, plan, run, report. A plan is computed before anything is sent, and every planned event ends in
//! exactly one count.

pub mod context;
pub mod plan;
pub mod registry;

mod load;
pub mod validate;

pub mod preview;
pub mod rehearse;
pub mod run;

pub mod report;

pub mod presets;

#[cfg(test)]
mod examples;
