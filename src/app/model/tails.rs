//! Live tails as the console shows them: the newest records, what is frozen, and counts that say what was not shown.

use crate::app::action::TailRequest;
use crate::core::job::{JobId, TailCounts};
use crate::core::record::Record;
use crate::core::ring::Ring;

/// Records kept of a tail where `console.yaml` is silent: more than a person scrolls back through, and 2,000 heads of records are a few megabytes.
pub const TAIL_RECORDS_MAX: usize = 2_000;

/// A tail that runs or ran.
#[derive(Debug, Clone)]
pub struct Tail {
    /// Its job.
    pub job: JobId,
    /// What was asked for.
    pub request: TailRequest,
    /// All that was read, whatever was shown.
    pub counts: TailCounts,
    /// What is shown, oldest first. `records.dropped()` is the number of the oldest, counted from the first ever shown.
    pub records: Ring<Record>,
    /// Whether the view is frozen.
    pub paused: bool,
    /// What came since it was frozen.
    pub waiting: Ring<Record>,
    /// Records that the view never got, because it was not quick enough for all.
    pub skipped: u64,
    /// Text that key, value or header must hold; empty shows all.
    pub filter: String,
}

impl Tail {
    /// A tail that has read nothing and keeps `capacity` records.
    pub fn new(job: JobId, request: TailRequest, capacity: usize) -> Self {
        Self {
            job,
            request,
            counts: TailCounts::default(),
            records: Ring::new(capacity),
            paused: false,
            waiting: Ring::new(capacity),
            skipped: 0,
            filter: String::new(),
        }
    }

    /// Records that came since the view was frozen.
    pub fn came_since_pause(&self) -> u64 {
        self.waiting.len() as u64 + self.waiting.dropped()
    }

    /// Matched records that are not in the view: skipped, scrolled away, or waiting.
    pub fn not_shown(&self) -> u64 {
        self.counts.matched.saturating_sub(self.records.len() as u64)
    }
}
