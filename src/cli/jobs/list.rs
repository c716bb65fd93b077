//! What jobs there are and how each does, as their folder tells it.

use std::time::Duration;

use comfy_table::Cell;
use serde::Serialize;

use crate::cli::output::{Output, Role, cell};
use crate::cli::progress::{grouped, rate};
use crate::cli::{Exit, Failure};
use crate::clock::now_ms;
use crate::core::duration::told;
use crate::sql::deploy::definition::Wish;
use crate::sql::deploy::prepare;
use crate::sql::deploy::shelf::{Kept, Shelf};
use crate::sql::deploy::status::{OperatorStatus, State};

/// A job's row.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    environment: String,
    state: &'static str,
    since: Option<String>,
    rows_per_second: f64,
    rows_read: u64,
    rows_written: u64,
    lag_records: Option<u64>,
    late: u64,
    errors: u64,
    retries: u64,
    restarts: u32,
    checkpoint: Option<u64>,
    checkpoint_age_seconds: Option<u64>,
    delivery: &'static str,
    run_by: Option<String>,
    fault: Option<String>,
}

/// A job in full.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    row: Row,
    checkpoint_interval_ms: u64,
    created: String,
    watermark: Option<String>,
    state_bytes: u64,
    folder: String,
    operators: Vec<OperatorStatus>,
    sql: String,
}

fn row(kept: &Kept) -> Row {
    let status = kept.status.as_ref();
    let runs = kept.holder.is_some();
    let state = match (runs, kept.state(), kept.definition.wish) {
        (true, Some(State::Reconnecting), _) => "reconnecting",
        (true, Some(State::Paused), _) => "paused",
        (true, Some(State::Starting) | None, _) => "starting",
        (true, _, _) => "running",
        (false, Some(State::Done), _) => "done",
        (false, Some(State::Failed), _) => "failed",
        (false, _, Wish::Stopped) => "stopped",
        (false, None, Wish::Running) => "registered",
        (false, _, Wish::Running) => "interrupted",
    };
    let now_ms = now_ms();
    Row {
        name: kept.definition.name.clone(),
        environment: kept.definition.environment.clone(),
        state,
        since: status.map(|status| time(if runs { status.since_ms } else { status.at_ms })),
        rows_per_second: status.filter(|_| runs).map_or(0.0, |status| status.rows_per_second),
        rows_read: status.map_or(0, |status| status.rows_read),
        rows_written: status.map_or(0, |status| status.rows_written),
        lag_records: status.filter(|_| runs).and_then(|status| status.lag_records),
        late: status.map_or(0, |status| status.late),
        errors: status.map_or(0, |status| status.bad),
        retries: status.map_or(0, |status| status.retries),
        restarts: status.map_or(0, |status| status.restarts),
        checkpoint: status.and_then(|status| status.checkpoint),
        checkpoint_age_seconds: status
            .and_then(|status| status.checkpoint_ms)
            .and_then(|at_ms| u64::try_from((now_ms - at_ms) / 1_000).ok()),
        delivery: kept.definition.delivery.name(),
        run_by: kept.holder.as_ref().map(ToString::to_string),
        fault: status.and_then(|status| status.fault.clone()),
    }
}

/// Columns of the list.
const HEADER: [&str; 11] =
    ["name", "env", "state", "run by", "rate", "lag", "late", "errors", "retries", "restarts", "checkpoint"];
/// From here on they are numbers.
const NUMBERS_FROM: usize = 4;
/// Those that leave first where the terminal is narrow: `jobs show` has them all.
const LEAVE: [&str; 6] = ["retries", "run by", "restarts", "rate", "env", "errors"];
/// Letters of what an operator does.
const LABEL_LETTERS_MAX: usize = 27;
/// Cells between two columns.
const GAP: usize = 2;

fn words(kept: &Kept, row: &Row) -> [String; HEADER.len()] {
    [
        row.name.clone(),
        row.environment.clone(),
        row.state.to_owned(),
        kept.holder.as_ref().map_or("-".to_owned(), |holder| holder.program.clone()),
        rate(row.rows_per_second),
        row.lag_records.map_or("-".to_owned(), grouped),
        grouped(row.late),
        grouped(row.errors),
        grouped(row.retries),
        row.restarts.to_string(),
        row.checkpoint_age_seconds.map_or("none yet".to_owned(), |seconds| format!("{seconds} s ago")),
    ]
}

/// The columns for which there is room.
fn fitting(lines: &[[String; HEADER.len()]], cells: Option<usize>) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..HEADER.len()).collect();
    let Some(cells) = cells else { return shown };
    let letters = |column: &usize| {
        let widest = lines.iter().map(|line| line[*column].chars().count()).max().unwrap_or(0);
        widest.max(HEADER[*column].len()) + GAP
    };
    for leaves in LEAVE {
        if shown.iter().map(letters).sum::<usize>() <= cells {
            break;
        }
        shown.retain(|column| HEADER[*column] != leaves);
    }
    shown
}

/// Lists all jobs.
pub fn list(shelf: &Shelf, output: &mut Output) -> Result<Exit, Failure> {
    let (kept, faults) = shelf.list();
    for fault in &faults {
        tracing::warn!("{fault}");
    }
    let rows: Vec<Row> = kept.iter().map(row).collect();
    output.show(&rows, |page| {
        if rows.is_empty() {
            page.line(format!("no jobs in {}", shelf.state().display()))?;
            return page.line("deploy one: velox-tui sql deploy FILE, or F8 in pane 3 of the console");
        }
        let lines: Vec<[String; HEADER.len()]> = kept.iter().zip(&rows).map(|(kept, row)| words(kept, row)).collect();
        let shown = fitting(&lines, page.cells());
        let header: Vec<&str> = shown.iter().map(|column| HEADER[*column]).collect();
        let numbers_from = shown.iter().position(|column| NUMBERS_FROM <= *column).unwrap_or(shown.len());
        let lines = lines.iter().zip(&rows).map(|(line, row)| {
            let drawn = |column: &usize| match HEADER[*column] {
                "state" => cell(role(row.state), row.state),
                _ => Cell::new(&line[*column]),
            };
            shown.iter().map(drawn).collect()
        });
        page.table(&header, lines, numbers_from)
    })?;
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Usage })
}

/// Shows one.
pub fn show(shelf: &Shelf, name: &str, output: &mut Output) -> Result<Exit, Failure> {
    let kept = shelf.read(name)?;
    let shown = Shown {
        row: row(&kept),
        checkpoint_interval_ms: kept.definition.checkpoint_interval_ms,
        created: time(kept.definition.created_ms),
        watermark: kept.status.as_ref().and_then(|status| status.watermark_ms).map(time),
        state_bytes: kept.status.as_ref().map_or(0, |status| status.state_bytes),
        folder: shelf.folder(name).display().to_string(),
        operators: kept.status.as_ref().map(|status| status.operators.clone()).unwrap_or_default(),
        sql: prepare::shown(&kept.definition),
    };
    output.show(&shown, |page| {
        let row = &shown.row;
        let state = page.paint(role(row.state), row.state);
        let since = row.since.as_deref().map(|since| format!(" since {since}")).unwrap_or_default();
        page.line(format!("{} in {}: {state}{since}", row.name, row.environment))?;
        if let Some(fault) = &row.fault {
            page.line(format!("  {fault}"))?;
        }
        let facts = [
            ("run by", row.run_by.clone().unwrap_or_else(|| "nobody".into())),
            (
                "rows",
                format!("{} read, {} written since its last start", grouped(row.rows_read), grouped(row.rows_written)),
            ),
            ("lag", row.lag_records.map_or("-".to_owned(), |lag| format!("{} records", grouped(lag)))),
            ("late", grouped(row.late)),
            ("errors", grouped(row.errors)),
            ("retries", grouped(row.retries)),
            ("restarts", row.restarts.to_string()),
            ("watermark", shown.watermark.clone().unwrap_or_else(|| "-".into())),
            ("state", crate::cli::progress::size(shown.state_bytes)),
            ("delivery", row.delivery.to_owned()),
            (
                "checkpoint",
                format!("{}, one every {}", age(row), told(Duration::from_millis(shown.checkpoint_interval_ms))),
            ),
            ("deployed", shown.created.clone()),
            ("folder", shown.folder.clone()),
        ];
        for (label, value) in facts {
            page.line(format!("  {label:<11}{value}"))?;
        }
        if !shown.operators.is_empty() {
            page.line("")?;
            let header = ["operator", "in", "out", "waits", "state", "late", "bad", "retries"];
            page.table(&header, shown.operators.iter().map(operator), 1)?;
        }
        page.line("")?;
        page.text(&shown.sql)
    })?;
    Ok(Exit::Done)
}

/// An operator's line; what it does in as many letters as leave room for its numbers at 80 cells.
fn operator(one: &OperatorStatus) -> Vec<Cell> {
    let label = match one.label.char_indices().nth(LABEL_LETTERS_MAX) {
        Some((end, _)) => format!("{}…", &one.label[..end]),
        None => one.label.clone(),
    };
    let numbers = [one.rows_in, one.rows_out, one.backlog].map(grouped);
    let state = crate::cli::progress::size(one.state_bytes);
    let troubles = [one.late, one.bad, one.retries].map(grouped);
    let cells = std::iter::once(label).chain(numbers).chain([state]).chain(troubles);
    cells.map(Cell::new).collect()
}

fn age(row: &Row) -> String {
    match (row.checkpoint, row.checkpoint_age_seconds) {
        (Some(epoch), Some(seconds)) => format!("{epoch}, {seconds} s ago"),
        _ => "none yet".to_owned(),
    }
}

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.0}"))
}

fn role(state: &str) -> Role {
    match state {
        "running" | "done" => Role::Success,
        "failed" => Role::Danger,
        "stopped" => Role::Muted,
        _ => Role::Warning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_loses_columns_and_keeps_lag_late_and_checkpoint() {
        let line =
            ["spend_by_customer", "sandbox", "running", "console", "18.4k/s", "120", "3", "2", "0", "0", "4 s ago"]
                .map(str::to_owned);
        let kept = |cells| fitting(std::slice::from_ref(&line), cells).iter().map(|at| HEADER[*at]).collect::<Vec<_>>();
        assert_eq!(kept(None).len(), HEADER.len());
        assert_eq!(kept(Some(200)).len(), HEADER.len());
        let narrow = ["name", "env", "state", "rate", "lag", "late", "errors", "checkpoint"];
        assert_eq!(kept(Some(80)), narrow);
        assert_eq!(kept(Some(40)), ["name", "state", "lag", "late", "checkpoint"]);
    }
}
