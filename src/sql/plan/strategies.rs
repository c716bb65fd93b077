//! What happens to records that fail and to rows that are late. Values only.

/// What happens to a record that fails.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FailureStrategy {
    /// It is logged, counted and left out; the job goes on.
    #[default]
    LogAndContinue,
    /// The job ends with it.
    FailBatch,
    /// A system that does not answer is asked again with growing pauses before the job ends. No pause mends the content of
    /// a record: it goes to the dead letters where a topic for them is named, else it is left out as with
    /// [`FailureStrategy::LogAndContinue`].
    RetryWithBackoff {
        /// The topic of the dead letters.
        topic: Option<String>,
    },
    /// It goes to a dead-letter topic, whole, with the headers that say why.
    SendToDlq {
        /// The topic.
        topic: String,
    },
}

impl FailureStrategy {
    /// The topic that records which fail go to, if they go anywhere.
    pub fn dead_letters(&self) -> Option<&str> {
        match self {
            Self::SendToDlq { topic } => Some(topic),
            Self::RetryWithBackoff { topic } => topic.as_deref(),
            Self::LogAndContinue | Self::FailBatch => None,
        }
    }

    /// Whether a system that does not answer is asked again.
    pub fn retries(&self) -> bool {
        matches!(self, Self::RetryWithBackoff { .. })
    }
}

/// What happens to a row that is later than its window's lateness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LateStrategy {
    /// Counted and left out.
    #[default]
    Drop,
    /// To the dead-letter topic, class `late`.
    DeadLetter,
    /// Into the oldest window that is still open.
    IncludeInNextWindow,
    /// The closed window is computed again and its result replaced, for as long as its state is kept.
    UpdatePrevious,
}
