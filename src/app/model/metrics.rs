//! Measures over time and totals, by environment, ETL and job. Fed once a second from the counts of jobs.

use std::collections::BTreeMap;

use crate::core::job::JobId;
use crate::core::series::Series;

/// Series kept: each is about 25 kB, so the whole stays under 10 MB. New ones beyond are not recorded and are counted.
pub const SERIES_MAX: usize = 400;

/// What a measure is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everything.
    Total,
    /// One environment.
    Environment(String),
    /// One ETL over all environments.
    Etl(String),
    /// One job.
    Job(JobId),
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Events sent and records read, a second: all that moves.
    EventsPerSecond,
    /// Events sent a second.
    SentPerSecond,
    /// Records read a second.
    ReadPerSecond,
    /// Bytes sent or read, a second.
    BytesPerSecond,
    /// Failed events a second.
    ErrorsPerSecond,
    /// Half of the acknowledgements came faster, milliseconds.
    LatencyP50Ms,
    /// 99 of a hundred acknowledgements came faster, milliseconds.
    LatencyP99Ms,
    /// Records between a reader and the end of its topics.
    LagRecords,
    /// That lag at the present rate, seconds.
    LagSeconds,
}

/// Sums since the session began.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// Events sent that ended.
    pub events: u64,
    /// Records read.
    pub read: u64,
    /// Acknowledged events.
    pub ok: u64,
    /// Failed events.
    pub failed: u64,
    /// Bytes.
    pub bytes: u64,
}

/// All measures.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Series by what they are about.
    pub series: BTreeMap<(Scope, Measure), Series>,
    /// Sums by what they are about.
    pub totals: BTreeMap<Scope, Totals>,
    /// Samples of series beyond [`SERIES_MAX`], not recorded.
    pub unrecorded: u64,
}

impl Metrics {
    /// A series, where anything was measured.
    pub fn series(&self, scope: &Scope, measure: Measure) -> Option<&Series> {
        self.series.get(&(scope.clone(), measure))
    }

    /// The newest rate of everything, events a second.
    pub fn total_rate(&self) -> f64 {
        self.series(&Scope::Total, Measure::EventsPerSecond).and_then(Series::last).unwrap_or(0.0)
    }

    /// Adds a sample.
    pub fn record(&mut self, scope: Scope, measure: Measure, at_s: i64, value: f64) {
        let key = (scope, measure);
        if self.series.len() < SERIES_MAX || self.series.contains_key(&key) {
            self.series.entry(key).or_default().push(at_s, value);
        } else {
            self.unrecorded += 1;
        }
    }
}
