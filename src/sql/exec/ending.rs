//! How a job ended that did not fail, and what it had counted then. Values only.

/// How a job ended that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What ended it.
    pub how: How,
    /// The newest checkpoint, where it keeps some.
    pub checkpoint: Option<u64>,
    /// Records that failed.
    pub bad: u64,
    /// Rows that were too late.
    pub late: u64,
    /// Those of both that went to the dead letters.
    pub dead_letters: u64,
    /// Divisions by zero that gave NULL.
    pub by_zero: u64,
}

impl Ending {
    /// The end of a job that has done nothing.
    pub fn of_nothing(how: How) -> Self {
        Self { how, checkpoint: None, bad: 0, late: 0, dead_letters: 0, by_zero: 0 }
    }
}

/// What ended a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// All input was read, or LIMIT was reached.
    Finished,
    /// It was asked to stop; with checkpoints it goes on from there another time.
    Stopped,
    /// It was dropped.
    Cancelled,
}
