//! What was taken out of a query on the way: windows, keys, and the clauses that end a statement.

use sqlparser::ast::Ident;

use super::statement::{Emit, EndName, Span, WindowSpec};
use crate::connectors::options::Options;

/// Filled while a query is read.
#[derive(Default)]
pub(super) struct Lift {
    pub windows: Vec<Window>,
    pub key: Vec<String>,
    pub emit: Option<(Emit, Span)>,
    pub into: Option<(EndName, Span)>,
    pub options: Options,
    /// Whether `WITH (…)` was there.
    pub optioned: bool,
    /// How many SELECTs were begun: each has a number.
    pub selects: usize,
}

/// A window, and what the tree needs to know to put it in.
pub(super) struct Window {
    pub spec: WindowSpec,
    /// The number of the SELECT it stands in.
    pub select: usize,
    pub place: Standing,
}

/// Where a window stands.
pub(super) enum Standing {
    /// `WINDOW TUMBLING(1h)`.
    Clause,
    /// `GROUP BY TUMBLE(…)`: the query groups, whatever else it says.
    Grouping,
    /// `tumble(…) AS window` as an item of the SELECT list: its name, and its number from 1.
    Item { name: String, position: usize },
    /// A table function, with the alias that its marker stands for: it adds columns, and the query groups by them only
    /// where it says so.
    Table { alias: Option<Ident> },
}

impl Lift {
    /// The windows that apply to the whole FROM of a SELECT.
    pub fn own(&self, select: usize) -> impl Iterator<Item = (usize, &Window)> {
        let own = move |window: &Window| window.select == select && !matches!(window.place, Standing::Table { .. });
        self.windows.iter().enumerate().filter(move |(_, window)| own(window))
    }
}
