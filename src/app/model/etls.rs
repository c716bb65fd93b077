//! ETLs as the console shows them: definition, faults, the newest preview and plan.

use std::sync::Arc;

use crate::app::action::{PreviewRequest, RunRequest};
use crate::core::environment::Guard;
use crate::core::etl::Etl;
use crate::core::fault::{Fault, Place};

/// One ETL, whole or broken.
#[derive(Debug, Clone, PartialEq)]
pub struct EtlRow {
    /// Name; the file's stem where the file is broken.
    pub name: String,
    /// Its file.
    pub file: String,
    /// The definition, where it could be read.
    pub etl: Option<Arc<Etl>>,
    /// Definition as YAML text.
    pub text: String,
    /// Where each line of it comes from; none of a file that could not be read, whose lines are its own.
    pub places: Vec<Option<Place>>,
    /// Path of the payload template, as the person would type it.
    pub template_file: String,
    /// The payload template's text; empty where it could not be read.
    pub template: String,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

impl EtlRow {
    /// Why it cannot run, as half a sentence; nothing where it can.
    pub fn why_idle(&self) -> Option<&'static str> {
        match () {
            () if !self.faults.is_empty() => Some("broken"),
            () if !self.is_enabled() => Some("disabled"),
            () => None,
        }
    }

    /// Whether it may run.
    pub fn is_enabled(&self) -> bool {
        self.etl.as_ref().is_some_and(|etl| etl.enabled)
    }
}

/// What was asked for and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// Number of the request.
    pub request: u64,
    /// What was asked for.
    pub asked: PreviewRequest,
    /// When, milliseconds since 1970.
    pub since_ms: i64,
    /// The answer; none while it is awaited.
    pub outcome: Option<Result<Rendered, Fault>>,
}

/// One rendered event.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rendered {
    /// Topic it would go to.
    pub topic: String,
    /// Key; none where the ETL has no key.
    pub key: Option<String>,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// Payload as it would be sent.
    pub payload: String,
    /// Bytes of key, payload and headers.
    pub bytes: usize,
    /// Names of the context, strongest last, for the line that counts them.
    pub context: Vec<String>,
}

/// A computed run, or the wait for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Number of the request.
    pub request: u64,
    /// What was asked for.
    pub asked: RunRequest,
    /// When, milliseconds since 1970.
    pub since_ms: i64,
    /// The answer; none while it is awaited.
    pub outcome: Option<Result<PlanSummary, Fault>>,
}

/// Exactly what a run would send where.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanSummary {
    /// Pairs in plan order.
    pub pairs: Vec<PlannedPair>,
    /// What was asked for and is left out, and why, one line each.
    pub left_out: Vec<String>,
}

impl PlanSummary {
    /// Events in all.
    pub fn events(&self) -> u64 {
        self.pairs.iter().map(|pair| pair.events).sum()
    }
}

/// One ETL in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedPair {
    /// ETL.
    pub etl: String,
    /// Environment.
    pub environment: String,
    /// Topic.
    pub topic: String,
    /// Events.
    pub events: u64,
    /// Safety of the environment.
    pub guard: Guard,
}
