//! Jobs as rows of a table: what runs before what ended, the newest first. A number that a kind of job does not have is `n/a`.

use std::borrow::Cow;

use ratatui::style::Style;

use crate::app::model::Model;
use crate::app::model::jobs::Job;
use crate::core::job::{JobKind, Phase};
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::listing::Rows;
use crate::ui::widgets::table::{self, Column};
use crate::ui::widgets::{number, time};

/// What stands where nothing can be known; the detail says why.
pub const UNKNOWN: &str = "n/a";

/// Larger counts would not fit their column; the detail has them whole.
const WHOLE_BELOW: u64 = 10_000_000;

/// From left to right; restarts and lag leave first, which most kinds of jobs do not have.
pub const COLUMNS: [Column; 13] = [
    Column::words("state", 14),
    Column::words("kind", 6).gives_way(1),
    Column::words("name", 16).grows(3),
    Column::words("environment", 11).grows(1).gives_way(1),
    Column::words("since", 8).gives_way(5),
    Column::number("rate", 7).gives_way(2),
    Column::number("sent/read", 9).gives_way(4),
    Column::number("errors", 7).gives_way(3),
    Column::number("lag", 8).gives_way(6),
    Column::number("behind", 8).gives_way(9),
    Column::number("late", 6).gives_way(10),
    Column::number("checkpoint", 10).gives_way(8),
    Column::number("restarts", 8).gives_way(7),
];

/// From this column on there are numbers; those before it are said in the detail's own words.
const NUMBERS_FROM: usize = 5;

/// Gives way before any other: what was seen on a page before.
const SEEN: u8 = u8::MAX;

/// The columns of a page of `cells`, and the titles that are not on it: state and name stay, what no page before had
/// room for comes first.
pub fn columns(page: usize, cells: u16) -> ([Column; COLUMNS.len()], Vec<&'static str>) {
    let mut columns = COLUMNS;
    for _ in 0..page {
        for at in table::shown(&columns, cells) {
            if 0 < columns[at].gives_way {
                columns[at].gives_way = SEEN;
            }
        }
    }
    let shown = table::shown(&columns, cells);
    let hidden = (0..columns.len()).filter(|at| !shown.contains(at)).map(|at| columns[at].title).collect();
    (columns, hidden)
}

/// Pages that it takes to see every column in so many cells.
pub fn pages(cells: u16) -> usize {
    let is_new = |columns: &[Column; COLUMNS.len()], page: usize| {
        let shown = table::shown(columns, cells);
        page == 0 || shown.iter().any(|at| 0 < columns[*at].gives_way && columns[*at].gives_way < SEEN)
    };
    (0..COLUMNS.len()).take_while(|page| is_new(&columns(*page, cells).0, *page)).count()
}

/// What runs, then what ended, each with the newest first.
pub fn in_order(model: &Model) -> Vec<&Job> {
    let (ended, live): (Vec<&Job>, Vec<&Job>) = model.jobs.values().rev().partition(|job| job.phase.is_ending());
    live.into_iter().chain(ended).collect()
}

/// The rows.
pub struct JobRows<'a> {
    /// Jobs in the order of the facts.
    pub jobs: &'a [&'a Job],
    /// What drawing may look at.
    pub view: &'a View<'a>,
}

impl Rows for JobRows<'_> {
    fn count(&self) -> usize {
        self.jobs.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let job = self.jobs[row];
        let counted = |known: Option<u64>| match known {
            None => Cow::Borrowed(UNKNOWN),
            Some(count) if count < WHOLE_BELOW => number::grouped(count).into(),
            Some(count) => number::short(count as f64).into(),
        };
        match column {
            0 => format!("{} {}", sign(&job.phase), state(&job.phase)).into(),
            1 => kind(job.kind).into(),
            2 => job.name.as_str().into(),
            3 => job.environment.as_str().into(),
            4 => since(job.since_ms, self.view).into(),
            5 => rate(job).map_or(Cow::Borrowed(UNKNOWN), |rate| number::rate(rate).into()),
            6 => counted(records(job)),
            7 => counted(errors(job)),
            8 => counted(lag(job)),
            9 => behind_ms(job).map_or(Cow::Borrowed(UNKNOWN), |ms| time::span(ms).into()),
            10 => counted(late(job)),
            11 => checkpoint_age_ms(job, self.view.model).map_or(Cow::Borrowed(UNKNOWN), |ms| time::span(ms).into()),
            _ => counted(restarts(job)),
        }
    }

    fn style(&self, row: usize, column: usize, theme: &Theme) -> Style {
        let job = self.jobs[row];
        match column {
            0 => theme.role(role(&job.phase)),
            1 | 4 => theme.role(Role::Muted),
            3 if !job.environment.contains(", ") => theme.environment(&job.environment),
            7 if job.errors > 0 => theme.role(Role::Danger),
            10 if job.late > 0 => theme.role(Role::Warning),
            5..=12 if self.number(row, column).is_none() => theme.role(Role::Muted),
            _ => theme.role(Role::Text),
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let job = self.jobs[row];
        match column {
            4 => Some(job.since_ms as f64),
            5 => rate(job),
            6 => records(job).map(|count| count as f64),
            7 => errors(job).map(|count| count as f64),
            8 => lag(job).map(|count| count as f64),
            9 => behind_ms(job).map(|ms| ms as f64),
            10 => late(job).map(|count| count as f64),
            11 => checkpoint_age_ms(job, self.view.model).map(|ms| ms as f64),
            12 => restarts(job).map(|count| count as f64),
            _ => None,
        }
    }

    fn is_numeric(&self, column: usize) -> bool {
        column >= 4
    }

    fn identity(&self, row: usize) -> u64 {
        self.jobs[row].id.0
    }
}

/// What is known of a job in columns that are not seen, in one line: `lag 120 · behind 7 ms · checkpoint 4 s`.
pub fn in_words(job: &Job, view: &View<'_>, hidden: &[&str]) -> Option<String> {
    let rows = JobRows { jobs: &[job], view };
    let told = (NUMBERS_FROM..COLUMNS.len()).filter(|column| hidden.contains(&COLUMNS[*column].title));
    let told = told.filter_map(|column| {
        let known = rows.text(0, column);
        (known != UNKNOWN).then(|| format!("{} {known}", COLUMNS[column].title))
    });
    let words = told.collect::<Vec<_>>().join(" · ");
    (!words.is_empty()).then_some(words)
}

/// A kind in one word.
pub fn kind(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Run => "run",
        JobKind::Tail => "tail",
        JobKind::Consume => "group",
        JobKind::Check => "check",
        JobKind::Generator => "events",
        JobKind::Resend => "resend",
        JobKind::Query => "query",
        JobKind::Sql => "sql",
    }
}

/// The mark of a phase.
pub fn sign(phase: &Phase) -> &'static str {
    match phase {
        Phase::Running => marks::RUNNING,
        Phase::Starting | Phase::Reconnecting { .. } | Phase::Stopping | Phase::Paused => marks::HALF,
        Phase::Done => marks::DONE,
        Phase::Stopped => marks::OFF,
        Phase::Failed(_) | Phase::Panicked(_) => marks::FAILED,
    }
}

/// A phase in one word.
pub fn state(phase: &Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Running => "running",
        Phase::Reconnecting { .. } => "reconnecting",
        Phase::Stopping => "stopping",
        Phase::Paused => "paused",
        Phase::Done => "done",
        Phase::Stopped => "stopped",
        Phase::Failed(_) => "failed",
        Phase::Panicked(_) => "defect",
    }
}

/// The colour of a phase.
pub fn role(phase: &Phase) -> Role {
    match phase {
        Phase::Running | Phase::Done => Role::Success,
        Phase::Starting | Phase::Reconnecting { .. } | Phase::Stopping | Phase::Paused => Role::Warning,
        Phase::Stopped => Role::Muted,
        Phase::Failed(_) | Phase::Panicked(_) => Role::Danger,
    }
}

/// Events that ended, or records read; a check has neither.
pub fn records(job: &Job) -> Option<u64> {
    (job.kind != JobKind::Check).then_some(job.records)
}

/// What a second brings, of what is counted.
pub fn rate(job: &Job) -> Option<f64> {
    records(job).map(|_| job.rate)
}

/// Only what sends counts failures of single events.
pub fn errors(job: &Job) -> Option<u64> {
    let counts =
        matches!(job.kind, JobKind::Run | JobKind::Resend | JobKind::Generator | JobKind::Query | JobKind::Sql);
    counts.then_some(job.errors)
}

/// Only what reads has a lag, once the end of the topic is known.
pub fn lag(job: &Job) -> Option<u64> {
    job.lag.filter(|_| matches!(job.kind, JobKind::Tail | JobKind::Consume | JobKind::Query | JobKind::Sql))
}

/// How long it would take to the end of what there is, at its own rate.
pub fn behind_ms(job: &Job) -> Option<u64> {
    match lag(job)? {
        0 => Some(0),
        lag if 0.0 < job.rate => Some((lag as f64 / job.rate * 1_000.0) as u64),
        _ => None,
    }
}

/// Only what has windows has rows that come too late for them.
pub fn late(job: &Job) -> Option<u64> {
    matches!(job.kind, JobKind::Query | JobKind::Sql).then_some(job.late)
}

/// Age of the newest checkpoint of what keeps some.
pub fn checkpoint_age_ms(job: &Job, model: &Model) -> Option<u64> {
    u64::try_from(model.now_ms - job.checkpoint?.at_ms).ok()
}

/// Only what reads goes on by itself after a lost connection.
pub fn restarts(job: &Job) -> Option<u64> {
    matches!(job.kind, JobKind::Tail | JobKind::Consume | JobKind::Sql).then_some(u64::from(job.restarts))
}

/// A start in eight cells: so long ago, the time of a day, or the day.
fn since(then_ms: i64, view: &View<'_>) -> String {
    const DAY_MS: i64 = 86_400_000;
    match view.model.now_ms - then_ms {
        DAY_MS.. => time::format(then_ms, view.zone, "%d %b"),
        _ => time::since(view.model.now_ms, then_ms, view.zone),
    }
}
