//! Expressions over the rows of a chunk, where a row that fails is set aside and the others go on. It knows no state.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use datafusion_common::DataFusionError;

use crate::connectors::contract::{BadRecord, RawRecord};
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::chunk::{Chunk, Origins};
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
    if let Ok(values) = values(expressions, &chunk.batch) {
        return Ok((chunk, values));
    }
    let fails = |row: usize| values(expressions, &chunk.batch.slice(row, 1)).err();
    let mut good = Vec::with_capacity(chunk.rows());
    for row in 0..chunk.rows() {
        let error = fails(row);
        good.push(error.is_none());
        if let Some(error) = error {
            out.bad.push(bad(chunk.origins.as_ref(), Some(row), &error.to_string()));
        }
    }
    let chunk = chunk.filter(&BooleanArray::from(good)).map_err(defect)?;
    let values = values(expressions, &chunk.batch).map_err(defect)?;
    Ok((chunk, values))
}

fn values(expressions: &[Expression], batch: &RecordBatch) -> Result<Vec<ArrayRef>, DataFusionError> {
    expressions.iter().map(|expression| expression.evaluate(batch)?.into_array(batch.num_rows())).collect()
}

/// Which rows of `batch` a predicate is true for; a row for which it fails is told to `failed` and is not one of them.
pub(super) fn holds(
    predicate: &Expression,
    batch: &RecordBatch,
    mut failed: impl FnMut(usize, String),
) -> Result<Vec<bool>, Fault> {
    let truths = |batch: &RecordBatch| -> Result<Vec<bool>, DataFusionError> {
        let array = predicate.evaluate(batch)?.into_array(batch.num_rows())?;
        let truths = datafusion_common::cast::as_boolean_array(&array)?;
        Ok((0..truths.len()).map(|row| truths.is_valid(row) && truths.value(row)).collect())
    };
    if let Ok(truths) = truths(batch) {
        return Ok(truths);
    }
    let one = |row: usize| match truths(&batch.slice(row, 1)) {
        Ok(truths) => truths.first().copied().unwrap_or(false),
        Err(error) => {
            failed(row, error.to_string());
            false
        }
    };
    Ok((0..batch.num_rows()).map(one).collect())
}

/// A row that failed, with the record behind it where that is known.
pub(super) fn bad(origins: Option<&Origins>, row: Option<usize>, message: &str) -> BadRecord {
    let record = match (origins, row) {
        (Some(origins), Some(row)) => origins.records.get(origins.rows.value(row) as usize).cloned(),
        _ => None,
    };
    let says = |word: &str| message.to_ascii_lowercase().contains(word);
    let class = match () {
        () if says("overflow") => "overflow",
        () if says("divide by zero") => "division",
        () if says("cast") || says("parse") => "cast",
        () => "type_mismatch",
    };
    BadRecord { record: record.unwrap_or_else(RawRecord::default), stage: STAGE, class, message: message.to_owned() }
}

/// A fault of this program.
pub(super) fn defect(error: impl std::fmt::Display) -> Fault {
    Fault::new(Blame::Program, format!("a join failed: {error}"))
}
