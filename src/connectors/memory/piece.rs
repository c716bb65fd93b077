//! Rows that were written, cut into what one reader asks for: some of them, and some of their columns. Pure.

use arrow::array::{Array, RecordBatch};

use crate::connectors::contract::{SinkRows, SourceRows};
use crate::core::fault::{Blame, Fault};

/// The first rows, at most as many as are asked for, and those behind them.
///
/// # Errors
/// As [`piece`].
pub(super) fn front(
    rows: SinkRows,
    rows_max: usize,
    fields: &[usize],
) -> Result<(SourceRows, Option<SinkRows>), Fault> {
    let count = rows.batch.num_rows().min(rows_max.max(1));
    let left = rows.batch.num_rows() - count;
    let front = piece(&rows, 0, count, fields)?;
    let rest = (left > 0).then(|| SinkRows {
        batch: rows.batch.slice(count, left),
        times: rows.times.slice(count, left),
        ops: rows.ops.map(|ops| ops.slice(count, left)),
    });
    Ok((front, rest))
}

/// Rows from one on, with the columns at `fields`.
///
/// # Errors
/// A column that is not there, which is a defect of this program.
pub(super) fn piece(rows: &SinkRows, from: usize, count: usize, fields: &[usize]) -> Result<SourceRows, Fault> {
    let batch = project(&rows.batch.slice(from, count), fields)?;
    Ok(SourceRows {
        skipped: 0,
        bytes: batch.columns().iter().map(|column| column.get_array_memory_size() as u64).sum(),
        batch,
        times: rows.times.slice(from, count),
        ops: rows.ops.as_ref().map(|ops| ops.slice(from, count)),
        origins: None,
        bad: Vec::new(),
    })
}

/// The columns at `fields`, and as many rows where there is none.
///
/// # Errors
/// As [`piece`].
pub(super) fn project(batch: &RecordBatch, fields: &[usize]) -> Result<RecordBatch, Fault> {
    batch.project(fields).map_err(|error| Fault::new(Blame::Program, format!("a column that is not there: {error}")))
}
