//! ETL runs as the console shows them: progress while they run, the report after.

use std::sync::Arc;

use crate::app::action::RunRequest;
use crate::core::job::JobId;
use crate::core::progress::RunProgress;

/// A run that runs or ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its job.
    pub job: JobId,
    /// What was asked for.
    pub request: RunRequest,
    /// When it was started, milliseconds since 1970.
    pub since_ms: i64,
    /// The newest counts.
    pub progress: Arc<RunProgress>,
    /// The report, once it has ended.
    pub report: Option<Arc<RunReport>>,
}

/// What is known of a run that has ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunReport {
    /// The final counts.
    pub progress: RunProgress,
    /// Time by step, in the order plan, render, queue, acknowledge.
    pub timings: Vec<StepTiming>,
    /// Share of planned events that were acknowledged, from 0 to 1.
    pub success_rate: f64,
    /// Acknowledged events a second over the whole run.
    pub events_per_second: f64,
    /// Bytes of acknowledged events.
    pub bytes: u64,
    /// The whole report as JSON text, for export.
    pub json: String,
}

/// Percentiles of one step, microseconds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StepTiming {
    /// Step: plan, render, queue, acknowledge.
    pub step: String,
    /// Measurements.
    pub count: u64,
    /// Half were faster.
    pub p50_us: u64,
    /// 95 of a hundred were faster.
    pub p95_us: u64,
    /// 99 of a hundred were faster.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
}

/// A run kept under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Name.
    pub name: String,
    /// What it runs.
    pub run: RunRequest,
}
