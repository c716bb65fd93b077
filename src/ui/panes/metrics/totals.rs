//! Totals as rows of a table: everything, then each environment, ETL and job.

use std::borrow::Cow;

use ratatui::style::Style;

use crate::app::model::Model;
use crate::app::model::metrics::{Measure, Metrics, Scope, Totals};
use crate::core::series::Span;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::listing::Rows;
use crate::ui::widgets::number;
use crate::ui::widgets::table::Column;

/// A rate older than this is not a rate any more, seconds: samples come once a second.
const RATE_AGE_MAX_S: i64 = 2;

/// Columns of the totals.
pub const COLUMNS: [Column; 9] = [
    Column::words("of", 5),
    Column::words("name", 14).grows(1),
    Column::number("sent", 11),
    Column::number("ok", 11).gives_way(4),
    Column::number("failed", 8),
    Column::number("success", 9).gives_way(1),
    Column::number("read", 11),
    Column::number("now", 8),
    Column::number("bytes", 8).gives_way(2),
];

/// The rows.
pub struct TotalRows<'a> {
    rows: Vec<(&'a Scope, Totals)>,
    model: &'a Model,
}

impl<'a> TotalRows<'a> {
    /// All that was counted; everything stands first, even before anything was.
    pub fn new(model: &'a Model) -> Self {
        let mut rows: Vec<(&Scope, Totals)> =
            model.metrics.totals.iter().map(|(scope, totals)| (scope, *totals)).collect();
        if !model.metrics.totals.contains_key(&Scope::Total) {
            rows.insert(0, (&Scope::Total, Totals::default()));
        }
        Self { rows, model }
    }

    /// What a row is about.
    pub fn scope(&self, row: usize) -> Option<&'a Scope> {
        self.rows.get(row).map(|(scope, _)| *scope)
    }
}

/// What something is called.
pub fn name(scope: &Scope, model: &Model) -> String {
    match scope {
        Scope::Total => "everything".into(),
        Scope::Environment(name) | Scope::Etl(name) => name.clone(),
        Scope::Job(id) => match model.jobs.get(id) {
            Some(job) => format!("{} {}", id.0, job.name),
            None => format!("{} (forgotten)", id.0),
        },
    }
}

/// Events a second now; none where nothing was measured for a while.
pub fn rate(metrics: &Metrics, scope: &Scope, now_s: i64) -> Option<f64> {
    let series = metrics.series(scope, Measure::EventsPerSecond)?;
    let newest = series.points(Span::Minute, now_s).next_back()?;
    (now_s - newest.at_s <= RATE_AGE_MAX_S).then(|| newest.mean())
}

impl Rows for TotalRows<'_> {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let (scope, totals) = &self.rows[row];
        match column {
            0 => match scope {
                Scope::Total => "all",
                Scope::Environment(_) => "env",
                Scope::Etl(_) => "ETL",
                Scope::Job(_) => "job",
            }
            .into(),
            1 => name(scope, self.model).into(),
            2 => number::grouped(totals.events).into(),
            3 => number::grouped(totals.ok).into(),
            4 => number::grouped(totals.failed).into(),
            5 => success(totals).map_or("n/a".into(), number::percent).into(),
            6 => number::grouped(totals.read).into(),
            7 => self.number(row, 7).map_or("idle".into(), number::rate).into(),
            _ => number::bytes(totals.bytes).into(),
        }
    }

    fn style(&self, row: usize, column: usize, theme: &Theme) -> Style {
        let (scope, totals) = &self.rows[row];
        match (column, scope) {
            (1, Scope::Environment(name)) => theme.environment(name),
            (4, _) if totals.failed > 0 => theme.role(Role::Danger),
            (0, _) => theme.role(Role::Muted),
            (5, _) if success(totals).is_none() => theme.role(Role::Muted),
            (7, _) if self.number(row, 7).is_none() => theme.role(Role::Muted),
            _ => theme.role(Role::Text),
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let (scope, totals) = &self.rows[row];
        match column {
            2 => Some(totals.events as f64),
            3 => Some(totals.ok as f64),
            4 => Some(totals.failed as f64),
            5 => success(totals),
            6 => Some(totals.read as f64),
            7 => rate(&self.model.metrics, scope, self.model.now_ms / 1_000),
            8 => Some(totals.bytes as f64),
            _ => None,
        }
    }

    fn is_numeric(&self, column: usize) -> bool {
        column >= 2
    }

    fn identity(&self, row: usize) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (self.text(row, 0), self.text(row, 1)).hash(&mut hasher);
        hasher.finish()
    }
}

/// Ok of all that ended; nothing has no share.
fn success(totals: &Totals) -> Option<f64> {
    let ended = totals.ok + totals.failed;
    (ended > 0).then(|| totals.ok as f64 / ended as f64)
}
