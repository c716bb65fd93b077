//! Live queries as the console shows them: columns, the rows in view, and counts that say what was not shown.

use std::collections::{BTreeMap, HashMap};

use super::pipeline::Pipeline;
use crate::app::action::QueryRequest;
use crate::core::job::JobId;

/// Rows kept of a query's view: more than a person scrolls back through, as with a tail. Of a result that changes these are
/// the keys that changed last.
pub const QUERY_ROWS_MAX: usize = 2_000;

/// Bytes kept of a query's cells: 2,000 rows of 16 KiB, far above what results hold as a rule.
pub const QUERY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryColumn {
    /// Its name.
    pub name: String,
    /// Its type as SQL writes it.
    pub sql_type: String,
    /// Whether its values are numbers.
    pub is_numeric: bool,
    /// Digits behind the point, where the type says.
    pub scale: Option<u8>,
}

impl QueryColumn {
    /// A value of the column: whole numbers, floats and booleans as such, a decimal as text so that every digit stays.
    pub fn json(&self, cell: Option<&str>) -> serde_json::Value {
        let Some(text) = cell else { return serde_json::Value::Null };
        let is_value = (self.is_numeric && !self.sql_type.starts_with("DECIMAL")) || self.sql_type == "BOOLEAN";
        match is_value.then(|| serde_json::from_str(text)) {
            Some(Ok(value)) => value,
            _ => text.into(),
        }
    }
}

/// What is known of a query before its first row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuerySchema {
    /// Columns.
    pub columns: Vec<QueryColumn>,
    /// Whether rows are replaced and taken back.
    pub is_changelog: bool,
    /// Which columns tell rows apart, where some do.
    pub key_columns: Vec<usize>,
    /// Where the statement writes when it is deployed; a live run writes nothing.
    pub writes_to: Option<String>,
    /// What works and should be known.
    pub warnings: Vec<String>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowChange {
    /// It came, in a result whose rows only come.
    Appended,
    /// It is new, or replaces the one in its slot.
    Changed,
    /// It was taken back.
    Removed,
}

/// A row of a result, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryRow {
    /// What became of it.
    pub change: RowChange,
    /// Its place among rows by their first appearance: a row that changes keeps it.
    pub born: u64,
    /// Of a result that changes: which of [`QUERY_ROWS_MAX`] slots it stands in.
    pub slot: u32,
    /// A value for each column, `None` for NULL.
    pub cells: Vec<Option<String>>,
    /// When it came or changed, milliseconds since 1970.
    pub at_ms: i64,
    /// Whether it stood before and was replaced.
    pub is_update: bool,
}

impl QueryRow {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.cells.iter().map(|cell| cell.as_ref().map_or(24, |text| 24 + text.len())).sum::<usize>()
    }
}

/// Rows in view, bounded by number and bytes.
#[derive(Debug, Clone, Default)]
pub struct QueryRows {
    rows: BTreeMap<u64, QueryRow>,
    slots: HashMap<u32, u64>,
    bytes: usize,
    /// Whether a row was let go although there are fewer than [`QUERY_ROWS_MAX`].
    is_too_large: bool,
}

impl QueryRows {
    /// Rows, those that appeared first before those that appeared later.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &QueryRow> + ExactSizeIterator {
        self.rows.values()
    }

    /// The row at this place by first appearance.
    pub fn born(&self, born: u64) -> Option<&QueryRow> {
        self.rows.get(&born)
    }

    /// Whether rows had to be let go for lack of room, or the next one will be.
    fn is_full(&self) -> bool {
        QUERY_ROWS_MAX <= self.rows.len() || self.is_too_large
    }

    /// Rows held.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn take(&mut self, row: QueryRow) {
        if row.change != RowChange::Appended
            && let Some(was) = self.slots.remove(&row.slot)
        {
            self.forget(was);
        }
        if row.change == RowChange::Removed {
            return;
        }
        if row.change == RowChange::Changed {
            self.slots.insert(row.slot, row.born);
        }
        self.bytes += row.bytes();
        self.rows.insert(row.born, row);
        while QUERY_ROWS_MAX < self.rows.len() || (QUERY_BYTES_MAX < self.bytes && 1 < self.rows.len()) {
            self.is_too_large |= self.rows.len() <= QUERY_ROWS_MAX;
            let Some((oldest, slot)) = self.rows.first_key_value().map(|(born, row)| (*born, row.slot)) else { break };
            // An appended row has no slot of its own: what stands under that number is another row's.
            if self.slots.get(&slot) == Some(&oldest) {
                self.slots.remove(&slot);
            }
            self.forget(oldest);
        }
    }

    fn forget(&mut self, born: u64) {
        if let Some(row) = self.rows.remove(&born) {
            self.bytes -= row.bytes();
        }
    }
}

/// A query that runs or ran.
#[derive(Debug, Clone)]
pub struct Query {
    /// Its job.
    pub job: JobId,
    /// What was asked for.
    pub request: QueryRequest,
    /// Its columns, once it is planned.
    pub schema: Option<QuerySchema>,
    /// The newest rows.
    pub rows: QueryRows,
    /// The rows as they were when the view was frozen.
    pub frozen: Option<Box<QueryRows>>,
    /// Rows that came to the view: appended, changed or taken back.
    pub shown: u64,
    /// Rows that were made and that the view never got, because it was not quick enough for all.
    pub skipped: u64,
    /// What had come when the view was frozen, skipped rows included.
    pub made_at_pause: u64,
}

impl Query {
    /// A query that has given nothing yet.
    pub fn new(job: JobId, request: QueryRequest) -> Self {
        let rows = QueryRows::default();
        Self { job, request, schema: None, rows, frozen: None, shown: 0, skipped: 0, made_at_pause: 0 }
    }

    /// The rows to draw: as they are, or as they were when the view was frozen.
    pub fn in_view(&self) -> &QueryRows {
        self.frozen.as_deref().unwrap_or(&self.rows)
    }

    /// Rows that the query has made, each change of a row counted.
    pub fn made(&self) -> u64 {
        self.shown + self.skipped
    }

    /// Whether rows are replaced and taken back; not before it is planned.
    pub fn is_changelog(&self) -> bool {
        self.schema.as_ref().is_some_and(|schema| schema.is_changelog)
    }

    /// Rows that a result which changes has now. Those that are held are all there are until the view is full; then the job
    /// has counted them.
    pub fn rows_now(&self, pipeline: Option<&Pipeline>) -> u64 {
        let held = self.rows.len() as u64;
        let counted = pipeline.filter(|_| self.rows.is_full()).and_then(|pipeline| pipeline.result_rows);
        counted.map_or(held, |rows| rows.max(held))
    }

    /// Rows that came since the view was frozen.
    pub fn came_since_pause(&self) -> u64 {
        if self.frozen.is_some() { self.made() - self.made_at_pause } else { 0 }
    }

    pub(in crate::app) fn take(&mut self, rows: Vec<QueryRow>, skipped: u64) {
        self.shown += rows.len() as u64;
        self.skipped += skipped;
        rows.into_iter().for_each(|row| self.rows.take(row));
    }

    pub(in crate::app) fn pause(&mut self, paused: bool) {
        match paused {
            true if self.frozen.is_none() => {
                self.frozen = Some(Box::new(self.rows.clone()));
                self.made_at_pause = self.made();
            }
            true => {}
            false => self.frozen = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(change: RowChange, slot: u32, born: u64, cell: &str) -> QueryRow {
        QueryRow { change, slot, born, cells: vec![Some(cell.into())], at_ms: 0, is_update: false }
    }

    fn query() -> Query {
        Query::new(JobId(1), QueryRequest { environment: "qa".into(), text: String::new(), statement: 0 })
    }

    fn cells(rows: &QueryRows) -> Vec<&str> {
        rows.iter().filter_map(|row| row.cells[0].as_deref()).collect()
    }

    #[test]
    fn a_changed_row_stays_where_it_is_and_a_taken_back_one_leaves() {
        use RowChange::{Changed, Removed};
        let mut query = query();
        query.take(vec![row(Changed, 0, 1, "a1"), row(Changed, 1, 2, "b1"), row(Changed, 0, 1, "a2")], 4);
        assert_eq!(cells(&query.rows), ["a2", "b1"]);
        query.take(vec![row(Removed, 1, 2, ""), row(Changed, 1, 3, "c1")], 0);
        assert_eq!(cells(&query.rows), ["a2", "c1"]);
        assert_eq!((query.shown, query.skipped, query.made()), (5, 4, 9));
    }

    #[test]
    fn a_slot_that_is_given_to_another_key_forgets_the_first() {
        let mut query = query();
        query.take(vec![row(RowChange::Changed, 0, 1, "a"), row(RowChange::Changed, 0, 9, "z")], 0);
        assert_eq!(cells(&query.rows), ["z"]);
    }

    #[test]
    fn a_frozen_view_stays_and_says_what_came() {
        let mut query = query();
        query.take(vec![row(RowChange::Appended, 0, 1, "a")], 0);
        query.pause(true);
        query.take(vec![row(RowChange::Appended, 0, 2, "b")], 10);
        assert_eq!((cells(query.in_view()), query.came_since_pause()), (vec!["a"], 11));
        query.pause(false);
        assert_eq!((cells(query.in_view()), query.came_since_pause()), (vec!["a", "b"], 0));
    }

    #[test]
    fn the_view_is_bounded_by_rows_and_by_bytes() {
        let mut query = query();
        query.take((0..3_000).map(|born| row(RowChange::Appended, 0, born, "x")).collect(), 0);
        assert_eq!((query.rows.len(), query.rows.iter().next().map(|row| row.born)), (QUERY_ROWS_MAX, Some(1_000)));
        let large = "x".repeat(QUERY_BYTES_MAX);
        query.take(vec![row(RowChange::Appended, 0, 9_000, &large)], 0);
        assert_eq!(query.rows.len(), 1, "the newest is shown, whatever its size");
    }
}
