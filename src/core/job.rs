//! What runs: its identity, its phase, and what it tells the console. Values only; the supervisor does the running.

use std::sync::Arc;

use super::fault::Fault;
use super::progress::RunProgress;
use super::record::Record;

/// A job's number in this session, from 1, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct JobId(pub u64);

/// What kind of work a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// An ETL run.
    Run,
    /// A live tail.
    Tail,
    /// A consumer group with a callback.
    Consume,
    /// A health check.
    Check,
    /// Events for the sandbox.
    Generator,
    /// Records sent again.
    Resend,
    /// A statement of SQL, its rows to the screen.
    Query,
    /// A deployed statement of SQL, which survives the program.
    Sql,
}

/// Where a job is in its life. The last four are endings: exactly one of them is reported for every job.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Accepted, not at work yet.
    Starting,
    /// At work.
    Running,
    /// Lost its broker; tries again after a pause.
    Reconnecting {
        /// What happened.
        fault: Fault,
        /// Attempt, from 1; 0 where the client tries by itself and does not say how often.
        attempt: u32,
    },
    /// Wrote a savepoint and waits to go on.
    Paused,
    /// Asked to stop; finishes what is in flight.
    Stopping,
    /// Did all it was asked.
    Done,
    /// Stopped when asked.
    Stopped,
    /// Could not go on.
    Failed(Fault),
    /// A defect of ours; the rest of the program goes on.
    Panicked(String),
}

impl Phase {
    /// Whether nothing follows.
    pub fn is_ending(&self) -> bool {
        matches!(self, Self::Done | Self::Stopped | Self::Failed(_) | Self::Panicked(_))
    }
}

/// What a job tells the console.
#[derive(Debug, Clone)]
pub enum Update {
    /// A step in its life; never lost.
    Phase(JobId, Phase),
    /// Records for a tail's view, oldest first, and how many did not fit since the last update.
    Records {
        /// The tail.
        job: JobId,
        /// Copies for the screen.
        records: Vec<Record>,
        /// Records that the view never got.
        skipped: u64,
    },
    /// Counters of a tail: all it read, whatever was shown.
    Tail(JobId, TailCounts),
    /// The newest state of an ETL run; replaces the one before.
    Run(JobId, Arc<RunProgress>),
}

/// What a tail has read so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TailCounts {
    /// Records read from the broker.
    pub read: u64,
    /// Bytes of keys and values read.
    pub bytes: u64,
    /// Records that passed the tail's own predicate.
    pub matched: u64,
    /// Records between here and the end of the topic, where known.
    pub lag: Option<u64>,
    /// Records between here and where the topics ended when it began, of a tail that is over there.
    pub left: Option<u64>,
}
