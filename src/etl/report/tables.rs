//! A report as tables of text: the summary and the detailed table, with lines on a terminal and plain elsewhere.

use comfy_table::{CellAlignment, Table, presets};

use super::{Percentiles, RunReport, StepReport, Tally, Verdict};
use crate::core::words::counted;
use crate::etl::run::ledger::NotSent;

/// How a table is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Columns apart by blanks: for files, pipes and `grep`.
    Plain,
    /// Ruled: for a terminal.
    Ruled,
}

impl RunReport {
    /// The whole run, then each environment and each ETL, then failures by cause.
    pub fn summary(&self, look: Look) -> String {
        let mut text = format!("{}\n\n", self.headline());
        let mut rows = vec![row("total", &self.total)];
        rows.extend(self.environments.iter().map(|(name, tally)| row(&format!("environment {name}"), tally)));
        rows.extend(self.etls.iter().map(|(name, tally)| row(&format!("etl {name}"), tally)));
        text.push_str(&drawn(
            look,
            &["", "events", self.done(), "failed", "not sent", "success", "events/s", "bytes", "seconds"],
            rows,
        ));
        self.append_causes(&mut text);
        text
    }

    /// Each ETL in each environment, and the times of its steps.
    pub fn detailed(&self, look: Look) -> String {
        let rows = self.pairs.iter().map(|pair| {
            let mut row = row(&format!("{} → {}", pair.etl, pair.environment), &pair.tally);
            row.insert(1, pair.topic.clone());
            row
        });
        let mut text = drawn(
            look,
            &[
                "etl → environment",
                "topic",
                "events",
                self.done(),
                "failed",
                "not sent",
                "success",
                "events/s",
                "bytes",
                "seconds",
            ],
            rows.collect(),
        );
        text.push_str("\n\n");
        let mut rows = vec![vec!["plan".to_owned(), "1".into(), millis(self.plan_ms)]];
        rows[0].resize(STEP_COLUMNS.len(), String::new());
        rows.extend(step_rows("all", &self.total.steps));
        if self.pairs.len() > 1 {
            for pair in &self.pairs {
                rows.extend(step_rows(&format!("{} → {}", pair.etl, pair.environment), &pair.tally.steps));
            }
        }
        text.push_str(&drawn(look, &STEP_COLUMNS, rows));
        text
    }

    /// What became of the events that went well.
    fn done(&self) -> &'static str {
        if self.dry_run { "rendered" } else { "acknowledged" }
    }

    fn headline(&self) -> String {
        let counts = self.total.counts;
        let done = if self.dry_run { "rendered, nothing sent" } else { "acknowledged" };
        let how = match self.verdict {
            Verdict::Done => "Done",
            Verdict::SomeFailed => "Some events failed",
            Verdict::Connection => "No connection",
            Verdict::Authentication => "Login refused",
            Verdict::Configuration => "Not runnable as configured",
            Verdict::Stopped => "Stopped",
            Verdict::TimedOut => "Not finished",
        };
        let mut text = format!("{how}: {} of {} {done}", counts.acknowledged, counted(counts.planned, "event"));
        for (why, events) in &self.total.not_sent_because {
            let why = match why {
                NotSent::Stopped => "stopped",
                NotSent::TimedOut => "out of time",
                NotSent::GivenUp => "given up after a failure",
            };
            text.push_str(&format!(", {events} not sent ({why})"));
        }
        text
    }

    fn append_causes(&self, text: &mut String) {
        for (cause, events) in &self.total.causes {
            text.push_str(&format!("\n{events} failed: {cause}"));
        }
        for skipped in &self.skipped {
            text.push_str(&format!("\nnot run: {skipped}"));
        }
    }
}

const STEP_COLUMNS: [&str; 7] = ["step", "times", "p50 ms", "p95 ms", "p99 ms", "max ms", "mean ms"];

fn step_rows(of: &str, steps: &StepReport) -> Vec<Vec<String>> {
    let named = [("render", steps.render), ("queue", steps.queue), ("acknowledge", steps.acknowledge)];
    let timed = named.into_iter().filter_map(|(name, times)| Some((name, times?)));
    timed.map(|(name, times)| step_row(&format!("{name} {of}"), times)).collect()
}

fn step_row(name: &str, times: Percentiles) -> Vec<String> {
    let mut row = vec![name.to_owned(), times.count.to_string()];
    row.extend([times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms, times.mean_ms].map(millis));
    row
}

fn row(name: &str, tally: &Tally) -> Vec<String> {
    let counts = tally.counts;
    vec![
        name.to_owned(),
        counts.planned.to_string(),
        counts.acknowledged.to_string(),
        counts.failed.to_string(),
        counts.not_sent.to_string(),
        format!("{:.2} %", tally.success_rate),
        format!("{:.0}", tally.events_per_second),
        tally.bytes.to_string(),
        format!("{:.3}", tally.duration_ms / 1_000.0),
    ]
}

fn millis(time: f64) -> String {
    format!("{time:.3}")
}

fn drawn(look: Look, header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(match look {
        Look::Plain => presets::NOTHING,
        Look::Ruled => presets::UTF8_FULL_CONDENSED,
    });
    table.set_header(header.iter().copied());
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}
