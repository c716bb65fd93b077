//! The panes, one file or folder each, and the roster that makes them known to the console.

pub mod environments;
pub mod etls;
pub mod sql;
pub mod tail;

pub mod jobs;
pub mod log;
pub mod metrics;

use super::pane::Pane;

/// Every pane, in the order of their tabs; the log comes last and has no tab.
pub fn roster() -> Vec<Box<dyn Pane>> {
    vec![
        Box::new(environments::Environments::default()),
        Box::new(etls::Etls::default()),
        Box::new(sql::SqlPane::default()),
        Box::new(tail::TailPane::default()),
        Box::new(metrics::MetricsPane::default()),
        Box::new(jobs::Jobs::default()),
        Box::new(log::LogPane::default()),
    ]
}
