//! How far an ETL run has come: counts that add up, by ETL x environment. Values only.

use std::collections::BTreeMap;

use serde::Serialize;

/// Every planned event ends in exactly one of these counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Events the plan asked for.
    pub planned: u64,
    /// Confirmed by the broker (dry run: rendered).
    pub acknowledged: u64,
    /// Not rendered, refused or not confirmed.
    pub failed: u64,
    /// Never tried: stopped, timed out, or cut by a limit while running.
    pub not_sent: u64,
}

impl Counts {
    /// Events that have not ended yet.
    pub fn open(&self) -> u64 {
        self.planned.saturating_sub(self.acknowledged + self.failed + self.not_sent)
    }
}

/// One ETL in one environment.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PairProgress {
    /// ETL.
    pub etl: String,
    /// Environment.
    pub environment: String,
    /// Topic.
    pub topic: String,
    /// Counts.
    pub counts: Counts,
    /// Bytes of acknowledged events.
    pub bytes: u64,
    /// Failures by cause, the cause in words a person can act on; at most [`CAUSES_MAX`].
    pub causes: BTreeMap<String, u64>,
}

/// Causes told apart in one pair; the rest are counted as `other`. More would not fit a screen.
pub const CAUSES_MAX: usize = 32;

/// The whole run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct RunProgress {
    /// Pairs in plan order.
    pub pairs: Vec<PairProgress>,
    /// Milliseconds since the run began.
    pub elapsed_ms: u64,
    /// Acknowledged events a second over the last second or so.
    pub events_per_second: f64,
    /// How long acknowledgements took over the last second or so; none where none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// Times from taken by a producer to confirmed by the broker, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Latency {
    /// Half were faster.
    pub p50_us: u64,
    /// 99 of a hundred were faster.
    pub p99_us: u64,
}

impl RunProgress {
    /// The sum over all pairs.
    pub fn total(&self) -> Counts {
        self.pairs.iter().fold(Counts::default(), |sum, pair| Counts {
            planned: sum.planned + pair.counts.planned,
            acknowledged: sum.acknowledged + pair.counts.acknowledged,
            failed: sum.failed + pair.counts.failed,
            not_sent: sum.not_sent + pair.counts.not_sent,
        })
    }
}
