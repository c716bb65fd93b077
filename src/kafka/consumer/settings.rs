//! What a consumer is asked for, and what it tells: settings, counts, events, the report. Values only.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Serialize;

use crate::core::environment::OffsetReset;
use crate::core::fault::Fault;
use crate::kafka::backoff::Backoff;

/// Records between two summaries where the caller does not say (the document's number).
pub const SUMMARY_EVERY: u64 = 1_000;
/// How long the record in hand may take to finish after a stop, where the caller does not say.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// What happens to a record whose callback fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// It is counted as failed, committed, and the next one comes.
    Continue,
    /// It is tried again; when all attempts have failed, `then` decides.
    Retry {
        /// Attempts after the first.
        max_retries: u32,
        /// Pauses between them.
        backoff: Backoff,
        /// What happens after the last.
        then: Exhausted,
    },
    /// The work ends; the record is not committed and comes again next time.
    Stop,
}

/// What happens when every attempt has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// As [`OnError::Continue`].
    Skip,
    /// As [`OnError::Stop`].
    Stop,
}

/// What is consumed, and how.
#[derive(Debug, Clone)]
pub struct ConsumeSettings {
    /// Topics to subscribe to; `^…` is a pattern.
    pub topics: Vec<String>,
    /// The group.
    pub group_id: String,
    /// Where a group without a commit starts; the environment's where absent.
    pub offset_reset: Option<OffsetReset>,
    /// What happens to a record whose callback fails.
    pub on_error: OnError,
    /// How long the record in hand may take after a stop.
    pub drain_timeout: Duration,
    /// Records between two summaries.
    pub summary_every: u64,
    /// Ends after so many records.
    pub max_records: Option<u64>,
    /// Records that are processed at the same time. Those of one partition with the same key stay one after another, and
    /// so do those of one partition without a key.
    pub max_concurrency: NonZeroUsize,
}

impl ConsumeSettings {
    /// The document's defaults for a group on some topics.
    pub fn new(group_id: impl Into<String>, topics: Vec<String>) -> Self {
        Self {
            topics,
            group_id: group_id.into(),
            offset_reset: None,
            on_error: OnError::Continue,
            drain_timeout: DRAIN_TIMEOUT,
            summary_every: SUMMARY_EVERY,
            max_records: None,
            max_concurrency: NonZeroUsize::MIN,
        }
    }
}

/// Counts since the beginning. `received` is the sum of `processed`, `failed` and `returned`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ConsumeCounts {
    /// Records given to the callback.
    pub received: u64,
    /// Records it processed.
    pub processed: u64,
    /// Records it failed on for good and that were passed over.
    pub failed: u64,
    /// Records that were not finished: they come again.
    pub returned: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Bytes of keys and values received.
    pub bytes: u64,
    /// Commits the broker took.
    pub commits: u64,
    /// Commits it did not take.
    pub commit_failures: u64,
}

/// What the work tells while it goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum ConsumeEvent {
    /// Every so many records.
    Summary(ConsumeCounts),
    /// A record's attempt failed.
    Failed {
        /// `topic[partition]@offset`.
        place: String,
        /// Attempt, from 1.
        attempt: u32,
        /// What the callback said.
        why: String,
        /// Whether it is tried again.
        is_retried: bool,
    },
    /// An error that the client tries to get over.
    Trouble(Fault),
}

/// How the work ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumeReport {
    /// Counts.
    pub counts: ConsumeCounts,
    /// What ended it, where nobody asked it to stop.
    pub fault: Option<Fault>,
}
