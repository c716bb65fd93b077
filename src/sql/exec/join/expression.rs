//! Expressions over the rows of a chunk, where a row that fails is set aside and the others go on. It knows no state.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow::compute;
use datafusion_common::cast::as_boolean_array;

use crate::connectors::contract::{BadRecord, RawRecord};
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::evaluate::{self, FailedRow, bad_records, record_of};
use crate::sql::exec::operator::Output;
use crate::sql::plan::stream::Expression;

/// Where a record failed, as its dead letter says it.
const STAGE: &str = "join";

/// The values of `expressions` for each row. A row for which one fails goes to the bad ones and out of the chunk.
pub(super) fn evaluate(
    expressions: &[Expression],
    chunk: Chunk,
    out: &mut Output,
) -> Result<(Chunk, Vec<ArrayRef>), Fault> {
    let mut failed = Vec::new();
    let values = expressions.iter().map(|expression| evaluate::evaluate(expression, &chunk.batch, &mut failed));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    if failed.is_empty() {
        return Ok((chunk, values));
    }
    failed.sort_by_key(|failed| failed.row);
    failed.dedup_by_key(|failed| failed.row);
    let mut good = vec![true; chunk.rows()];
    failed.iter().for_each(|failed| good[failed.row] = false);
    let good = BooleanArray::from(good);
    out.bad.extend(bad_records(&chunk, STAGE, failed));
    let values = values.iter().map(|array| compute::filter(array, &good)).collect::<Result<_, _>>().map_err(defect)?;
    Ok((chunk.filter(&good).map_err(defect)?, values))
}

/// Which rows of `batch` a predicate is true for; a row for which it fails is told to `tell` and is not one of them.
pub(super) fn holds(
    predicate: &Expression,
    batch: &RecordBatch,
    tell: impl FnMut(FailedRow),
) -> Result<Vec<bool>, Fault> {
    let mut failed = Vec::new();
    let values = evaluate::evaluate(predicate, batch, &mut failed)?;
    failed.into_iter().for_each(tell);
    let truths = as_boolean_array(&values).map_err(defect)?;
    Ok((0..truths.len()).map(|row| truths.is_valid(row) && truths.value(row)).collect())
}

/// A pair that failed, with the record behind one of its rows where that is known.
pub(super) fn bad(behind: Option<(&Chunk, usize)>, failed: FailedRow) -> BadRecord {
    let record = match behind {
        Some((chunk, row)) => record_of(chunk, row),
        None => RawRecord { offset: -1, ..RawRecord::default() },
    };
    BadRecord { record, stage: STAGE, class: failed.class, message: failed.message }
}

/// A row that has no time where the join needs one.
pub(super) fn without_time(chunk: &Chunk, row: usize, message: &str) -> BadRecord {
    BadRecord { record: record_of(chunk, row), stage: STAGE, class: "event_time", message: message.to_owned() }
}

/// A row whose partners had gone before it came.
pub(super) fn late(chunk: &Chunk, row: usize, watermark: i64) -> BadRecord {
    let message = format!("its partners had gone at the watermark {watermark}");
    BadRecord { record: record_of(chunk, row), stage: STAGE, class: "late", message }
}

/// A fault of this program.
pub(super) fn defect(error: impl std::fmt::Display) -> Fault {
    Fault::new(Blame::Program, format!("a join failed: {error}"))
}
