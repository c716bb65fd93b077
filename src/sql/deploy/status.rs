//! How a deployed job was when it was looked at last, for those who do not run it. Values only.

use serde::{Deserialize, Serialize};

use crate::sql::exec::statistics::OperatorStatistics;

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Planned, opened, gone on from its checkpoint.
    Starting,
    /// At work.
    Running,
    /// It lost its brokers or a topic that it reads, and tries again.
    Reconnecting,
    /// It wrote a savepoint and waits to go on.
    Paused,
    /// Its input has ended.
    Done,
    /// It was stopped.
    Stopped,
    /// It could not go on.
    Failed,
}

/// The checkpoint that a job goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Its number.
    pub epoch: u64,
    /// When it was written, milliseconds since 1970.
    pub written_ms: i64,
}

/// The newest of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Where it is; of a process that was killed, where it was.
    pub state: State,
    /// When this was written, milliseconds since 1970.
    pub at_ms: i64,
    /// When it was started, milliseconds since 1970.
    pub since_ms: i64,
    /// Rows read since then.
    pub rows_read: u64,
    /// Rows written since then.
    pub rows_written: u64,
    /// Rows read a second, lately.
    pub rows_per_second: f64,
    /// Records still to read; `None` while nobody can tell.
    pub lag_records: Option<u64>,
    /// The lowest watermark, milliseconds since 1970.
    pub watermark_ms: Option<i64>,
    /// Rows that were too late.
    pub late: u64,
    /// Records that failed.
    pub bad: u64,
    /// What was tried again since it was started.
    #[serde(default)]
    pub retries: u64,
    /// How often it was started again after a lost connection.
    pub restarts: u32,
    /// State, bytes.
    pub state_bytes: u64,
    /// Number of the newest checkpoint.
    pub checkpoint: Option<u64>,
    /// When that was complete, milliseconds since 1970.
    pub checkpoint_ms: Option<i64>,
    /// What it failed with, or waits for.
    pub fault: Option<String>,
    /// What each of its operators did since it was started, inputs first.
    #[serde(default)]
    pub operators: Vec<OperatorStatus>,
}

/// One operator of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OperatorStatus {
    /// What it does.
    pub label: String,
    /// Rows that came.
    pub rows_in: u64,
    /// Rows that it gave.
    pub rows_out: u64,
    /// What waits: records still to read before a source, messages before any other.
    pub backlog: u64,
    /// Its watermark, milliseconds since 1970.
    pub watermark_ms: Option<i64>,
    /// State, bytes.
    pub state_bytes: u64,
    /// Rows that were too late.
    pub late: u64,
    /// Rows that failed.
    pub bad: u64,
    /// What was tried again.
    pub retries: u64,
}

impl OperatorStatus {
    /// By its counters.
    pub fn of(counted: &OperatorStatistics) -> Self {
        Self {
            label: counted.label.clone(),
            rows_in: counted.rows_in,
            rows_out: counted.rows_out,
            backlog: counted.backlog,
            // The end of all input is no time.
            watermark_ms: counted.watermark.filter(|watermark| *watermark != i64::MAX),
            state_bytes: counted.state_bytes as u64,
            late: counted.late,
            bad: counted.bad,
            retries: counted.retries,
        }
    }
}

impl Status {
    /// A job that begins now.
    pub fn beginning(now_ms: i64) -> Self {
        Self {
            state: State::Starting,
            at_ms: now_ms,
            since_ms: now_ms,
            rows_read: 0,
            rows_written: 0,
            rows_per_second: 0.0,
            lag_records: None,
            watermark_ms: None,
            late: 0,
            bad: 0,
            retries: 0,
            restarts: 0,
            state_bytes: 0,
            checkpoint: None,
            checkpoint_ms: None,
            fault: None,
            operators: Vec::new(),
        }
    }
}
