//! How the console was left, and what is said about it once the terminal is as it was. It ends nothing itself.

use std::fmt;

use crate::app::supervisor::SHUTDOWN_GRACE_MS;
use crate::core::job::JobId;
use crate::core::words::counted;

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The person left.
    Quit,
    /// A signal of this name.
    Signal(&'static str),
    /// The terminal is gone.
    TerminalGone,
}

impl Ended {
    /// Whether there is no terminal left to draw on.
    pub fn is_without_terminal(self) -> bool {
        matches!(self, Self::TerminalGone | Self::Signal("SIGHUP"))
    }
}

/// How the console was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// Why.
    pub ended: Ended,
    /// Jobs that were stopped.
    pub stopped: usize,
    /// Jobs that did not end within the grace.
    pub late: Vec<JobId>,
}

impl Farewell {
    /// Whether the terminal went away.
    pub fn is_without_terminal(&self) -> bool {
        self.ended.is_without_terminal()
    }

    /// Whether the person left, and nothing was cut off.
    pub fn is_voluntary(&self) -> bool {
        self.ended == Ended::Quit && self.late.is_empty()
    }
}

/// What is said once the terminal is as it was; nothing where the person left and every job ended in time.
impl fmt::Display for Farewell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ended {
            Ended::Quit if self.late.is_empty() => return Ok(()),
            Ended::Quit => f.write_str("left")?,
            Ended::Signal(name) => write!(f, "stopped by {name}")?,
            Ended::TerminalGone => f.write_str("stopped: the terminal is gone")?,
        }
        match (self.stopped, self.late.len()) {
            (0, _) => Ok(()),
            (stopped, 0) => write!(f, "; {} finished what was in flight", counted(stopped as u64, "job")),
            (stopped, late) => {
                write!(
                    f,
                    "; of {} {late} did not end within {SHUTDOWN_GRACE_MS} ms and {} cut off",
                    counted(stopped as u64, "job"),
                    if late == 1 { "was" } else { "were" }
                )
            }
        }
    }
}
