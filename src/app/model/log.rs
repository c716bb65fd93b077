//! Log lines in memory: the newest, with level, place, message and correlation.

use crate::core::job::JobId;
use crate::core::ring::Ring;

/// Lines kept: an hour of a calm session; the file holds the rest.
pub const LOG_LINES_MAX: usize = 5_000;

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Trace,
    /// For finding a defect.
    Debug,
    /// What a person may want to know.
    Info,
    /// What may become a problem.
    Warn,
    /// What failed.
    Error,
}

impl Level {
    /// All, least grave first.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// As a line shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// How grave.
    pub level: Level,
    /// Module that says it.
    pub target: String,
    /// What is said, with its fields.
    pub message: String,
    /// What it belongs to, over several lines.
    pub correlation: Option<String>,
    /// The job it is about.
    pub job: Option<JobId>,
}

/// The log.
#[derive(Debug, Clone)]
pub struct Log {
    /// Lines, oldest first.
    pub lines: Ring<LogLine>,
    /// Least grave level that is shown.
    pub level: Level,
    /// Lines that never got here because too many came at once; the file has them.
    pub skipped: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self { lines: Ring::new(LOG_LINES_MAX), level: Level::Info, skipped: 0 }
    }
}
