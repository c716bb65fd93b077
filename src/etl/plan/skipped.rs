//! What a plan leaves out, why, and what can be done about it. Values only.

use std::fmt;

use serde::Serialize;

use super::limits::Limit;
use crate::core::fault::{Blame, Fault};

/// What the filters let through and yet will not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// ETL.
    pub etl: String,
    /// Environment; `None` when the ETL runs nowhere.
    pub environment: Option<String>,
    /// Why, as half a sentence: `is disabled`.
    pub why: String,
    /// What to do about it; empty where `why` says it.
    #[serde(skip)]
    pub next: &'static str,
}

impl Skipped {
    pub(super) fn new(etl: &str, environment: Option<&str>, why: &Why) -> Self {
        Self { etl: etl.into(), environment: environment.map(Into::into), why: why.to_string(), next: why.next() }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.environment {
            Some(environment) => write!(f, "{} to {environment}: {}", self.etl, self.why),
            None => write!(f, "{}: {}", self.etl, self.why),
        }
    }
}

/// Why something will not run.
#[derive(Debug)]
pub(super) enum Why {
    Broken(Fault),
    Disabled,
    /// The list that it would iterate over is none.
    NoList(String),
    NoTopic,
    Unusable(Fault),
    ReadOnly,
    Cut(Limit),
}

impl Why {
    fn next(&self) -> &'static str {
        match self {
            // The fault says what to do.
            Self::Broken(_) | Self::Unusable(_) | Self::NoList(_) => "",
            Self::Disabled => "`enabled: true` in its file lets it run",
            Self::NoTopic => "give it a topic there under `topics:`, or choose another environment",
            Self::ReadOnly => "a dry run renders what would be sent",
            Self::Cut(_) => "raise the limit",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(fault) => write!(f, "is broken: {fault}"),
            Self::Disabled => f.write_str("is disabled"),
            Self::NoList(why) => f.write_str(why),
            Self::NoTopic => f.write_str("it has no topic there"),
            Self::Unusable(fault) => write!(f, "the environment cannot be used: {fault}"),
            Self::ReadOnly => f.write_str("the environment is read-only"),
            Self::Cut(limit) => write!(f, "{} leaves nothing for it", limit.name()),
        }
    }
}

/// The fault of a request of which nothing can run: each reason, and what can be done about it.
pub(super) fn nothing_to_run(skipped: &[Skipped]) -> Fault {
    /// More would not fit a line.
    const REASONS_MAX: usize = 3;
    let told = &skipped[..skipped.len().min(REASONS_MAX)];
    let mut reasons: Vec<String> = told.iter().map(ToString::to_string).collect();
    if skipped.len() > REASONS_MAX {
        reasons.push(format!("and {} more", skipped.len() - REASONS_MAX));
    }
    if reasons.is_empty() {
        let what = "nothing to run: no ETL has a topic in an environment that the filters let through";
        return Fault::new(Blame::Operator, what).next("change the filters");
    }
    let mut next: Vec<&str> = told.iter().map(|skipped| skipped.next).filter(|next| !next.is_empty()).collect();
    next.dedup();
    Fault::new(Blame::Operator, format!("nothing to run: {}", reasons.join("; "))).next(next.join("; "))
}
