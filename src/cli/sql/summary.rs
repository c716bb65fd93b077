//! What a job has done whose rows went elsewhere, said at its end on the standard error.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::Failure;
use crate::cli::arguments::Format;
use crate::cli::progress::{grouped, rate};
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::statistics::Statistics;

/// What a job has done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Report {
    job: String,
    rows_read: u64,
    rows_written: u64,
    failed: u64,
    late: u64,
    elapsed_ms: u64,
    rows_per_second: f64,
}

impl Report {
    /// Of a job that has ended.
    pub fn of(name: &str, statistics: &Statistics) -> Self {
        let elapsed = statistics.elapsed;
        let rows_read = statistics.rows_read();
        Self {
            job: name.to_owned(),
            rows_read,
            rows_written: statistics.rows_written(),
            failed: statistics.failures.bad(),
            late: statistics.late(),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            // A millisecond at least: what took no time has no rate.
            rows_per_second: rows_read as f64 / elapsed.as_secs_f64().max(0.001),
        }
    }

    /// Says it: a line for people, `{"report": …}` for programs.
    ///
    /// # Errors
    /// None that numbers have.
    pub fn say(&self, format: Format, stopped: bool) -> Result<(), Failure> {
        let text = match format {
            Format::Text => self.in_words(stopped),
            Format::Json => {
                let mut report = serde_json::to_value(self)
                    .map_err(|error| Fault::new(Blame::Program, format!("a report cannot be written: {error}")))?;
                report["stopped"] = stopped.into();
                serde_json::json!({ "report": report }).to_string()
            }
        };
        // A closed standard error has no reader.
        let _ = writeln!(io::stderr(), "{text}");
        Ok(())
    }

    fn in_words(&self, stopped: bool) -> String {
        let late = if self.late > 0 { format!(", {} late", grouped(self.late)) } else { String::new() };
        format!(
            "{}  {}{} read, {} written, {} failed{late}; {} in {:.1} s",
            self.job,
            if stopped { "stopped: " } else { "" },
            grouped(self.rows_read),
            grouped(self.rows_written),
            grouped(self.failed),
            rate(self.rows_per_second),
            self.elapsed_ms as f64 / 1_000.0,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_its_job_and_counts_what_came_of_its_rows() {
        let report = Report {
            job: "totals".into(),
            rows_read: 12_000,
            rows_written: 40,
            failed: 2,
            late: 0,
            elapsed_ms: 1_500,
            rows_per_second: 8_000.0,
        };
        let words = report.in_words(false);
        assert!(words.starts_with("totals  12,000 read, 40 written, 2 failed; "), "{words}");
        assert!(words.ends_with(" in 1.5 s"), "{words}");
        let late = Report { late: 3, ..report }.in_words(true);
        assert!(late.starts_with("totals  stopped: 12,000 read, 40 written, 2 failed, 3 late; "), "{late}");
    }
}
