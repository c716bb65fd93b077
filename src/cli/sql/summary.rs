//! What a job has done whose rows went elsewhere, said at its end on the standard error.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::cli::Failure;
use crate::cli::arguments::Format;
use crate::cli::progress::{grouped, rate};
use crate::core::fault::{Blame, Fault};
use crate::core::words::counted;
use crate::sql::exec::job::Ending;
use crate::sql::exec::statistics::Statistics;

/// What a job has done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::cli) struct Report {
    job: String,
    rows_read: u64,
    rows_written: u64,
    failed: u64,
    late: u64,
    dead_letters: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_topic: Option<String>,
    elapsed_ms: u64,
    rows_per_second: f64,
}

impl Report {
    /// Of a job that has ended, whose dead letters go to this topic.
    pub fn of(name: &str, statistics: &Statistics, dead_letter_topic: Option<String>) -> Self {
        let elapsed = statistics.elapsed;
        let rows_read = statistics.rows_read();
        Self {
            job: name.to_owned(),
            rows_read,
            rows_written: statistics.rows_written(),
            failed: statistics.failures.bad(),
            late: statistics.late(),
            dead_letters: statistics.failures.dead_letters,
            dead_letter_topic,
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
        let letters = match &self.dead_letter_topic {
            Some(topic) if self.dead_letters > 0 => {
                format!(", {} of them kept in {topic}", grouped(self.dead_letters))
            }
            _ => String::new(),
        };
        format!(
            "{}  {}{} read, {} written, {} failed{late}{letters}; {} in {:.1} s",
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

/// What went wrong in all jobs together: what failed, came too late, gave no number, and where what failed is kept.
pub(super) fn troubles(endings: &[Ending], dead_letters: &[Option<String>]) -> Vec<String> {
    let sum = |of: fn(&Ending) -> u64| endings.iter().map(of).sum::<u64>();
    let counts = [
        (sum(|ending| ending.bad), "record", "failed"),
        (sum(|ending| ending.late), "row", "came too late"),
        (sum(|ending| ending.by_zero), "division", "by zero gave NULL"),
    ];
    let told = counts.into_iter().filter(|(count, ..)| *count > 0);
    let mut told: Vec<String> = told.map(|(count, noun, what)| format!("{} {what}", counted(count, noun))).collect();
    let mut kept: BTreeMap<&str, u64> = BTreeMap::new();
    for (ending, topic) in endings.iter().zip(dead_letters) {
        if let Some(topic) = topic.as_deref().filter(|_| ending.dead_letters > 0) {
            *kept.entry(topic).or_default() += ending.dead_letters;
        }
    }
    told.extend(
        kept.into_iter().map(|(topic, count)| format!("{} in the topic {topic}", counted(count, "dead letter"))),
    );
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::exec::job::How;

    #[test]
    fn what_went_to_the_dead_letters_is_said_with_its_topic() {
        let ending = |bad, late, dead_letters| Ending { bad, late, dead_letters, ..Ending::of_nothing(How::Finished) };
        let topic = |name: &str| Some(name.to_owned());
        let said = troubles(
            &[ending(3, 1, 3), ending(0, 0, 0), ending(2, 0, 2), ending(1, 0, 0)],
            &[topic("bad"), topic("quiet"), topic("bad"), None],
        );
        assert_eq!(said, ["6 records failed", "1 row came too late", "5 dead letters in the topic bad"]);
    }

    #[test]
    fn a_report_names_its_job_and_counts_what_came_of_its_rows() {
        let report = Report {
            job: "totals".into(),
            rows_read: 12_000,
            rows_written: 40,
            failed: 2,
            late: 0,
            dead_letters: 0,
            dead_letter_topic: Some("bad".into()),
            elapsed_ms: 1_500,
            rows_per_second: 8_000.0,
        };
        let words = report.in_words(false);
        assert!(words.starts_with("totals  12,000 read, 40 written, 2 failed; "), "{words}");
        assert!(words.ends_with(" in 1.5 s"), "{words}");
        let late = Report { late: 3, ..report.clone() }.in_words(true);
        assert!(late.starts_with("totals  stopped: 12,000 read, 40 written, 2 failed, 3 late; "), "{late}");
        let kept = Report { dead_letters: 2, ..report }.in_words(false);
        assert!(kept.starts_with("totals  12,000 read, 40 written, 2 failed, 2 of them kept in bad; "), "{kept}");
    }
}
