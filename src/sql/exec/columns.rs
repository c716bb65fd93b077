//! What operators that keep rows have in common: rows to columns and back, columns to tables of state and back. It keeps
//! nothing itself.

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::RowConverter;

use super::chunk::Chunk;
use super::evaluate::{arrow_fault, evaluate};
use super::operator::{Output, StateTable};
use super::refusals::without;
use crate::core::fault::{Blame, Fault};
use crate::sql::plan::stream::Expression;

/// What can only be wrong because this program is.
pub fn defect(error: impl std::fmt::Display) -> Fault {
    Fault::new(Blame::Program, format!("rows cannot be kept: {error}"))
}

/// The chunk without the rows for which an expression fails, which become bad records of `stage`, and the values of two
/// lists of expressions.
///
/// # Errors
/// What no row can be blamed for.
pub fn computed(
    chunk: Chunk,
    first: &[Expression],
    second: &[Expression],
    stage: &'static str,
    out: &mut Output,
) -> Result<(Chunk, Vec<ArrayRef>, Vec<ArrayRef>), Fault> {
    let mut chunk = chunk;
    loop {
        let mut failed = Vec::new();
        let mut all = |expressions: &[Expression]| {
            expressions.iter().map(|it| evaluate(it, &chunk.batch, &mut failed)).collect::<Result<Vec<_>, _>>()
        };
        let (first, second) = (all(first)?, all(second)?);
        if failed.is_empty() {
            return Ok((chunk, first, second));
        }
        chunk = without(chunk, failed, stage, out)?;
    }
}

/// Encoded rows as columns of a schema.
///
/// # Errors
/// Arrow's, which are defects of this program.
pub fn decoded<'a>(
    converter: &RowConverter,
    rows: impl IntoIterator<Item = &'a [u8]>,
    schema: &SchemaRef,
) -> Result<Vec<ArrayRef>, Fault> {
    let parser = converter.parser();
    let columns = converter.convert_rows(rows.into_iter().map(|row| parser.parse(row))).map_err(arrow_fault)?;
    let fields = schema.fields().iter();
    columns.into_iter().zip(fields).map(|(column, field)| typed(column, field.data_type())).collect()
}

/// A column of the type that it had before it was encoded: a dictionary comes back as its values.
fn typed(column: ArrayRef, data_type: &DataType) -> Result<ArrayRef, Fault> {
    if column.data_type() == data_type { Ok(column) } else { cast(&column, data_type).map_err(arrow_fault) }
}

/// The rows of columns at positions.
///
/// # Errors
/// A position out of range.
pub fn taken(columns: &[ArrayRef], rows: &UInt32Array) -> Result<Vec<ArrayRef>, Fault> {
    columns.iter().map(|column| take(column, rows, None).map_err(arrow_fault)).collect()
}

/// Columns as a table of state, named by their positions: names of a query may come twice.
///
/// # Errors
/// Columns of different lengths: a defect of this program.
pub fn table(name: &str, columns: Vec<ArrayRef>, keys: usize) -> Result<StateTable, Fault> {
    let named = columns.into_iter().enumerate().map(|(index, column)| (format!("c{index}"), column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(named).map_err(arrow_fault)?;
    Ok(StateTable { name: name.to_owned(), batch, keys })
}

/// A column of a kept table, of the type it was made with.
///
/// # Errors
/// A table of another operator.
pub fn column<A: 'static>(columns: &[ArrayRef], at: usize) -> Result<&A, Fault> {
    columns.get(at).and_then(|array| array.as_any().downcast_ref::<A>()).ok_or_else(|| {
        Fault::new(Blame::Operator, "the state was kept in another form").next("begin without the old state")
    })
}

/// The time that the tables called `time` say: that of the instance that was furthest behind.
///
/// # Errors
/// A table of another operator.
pub fn earliest(tables: &[StateTable]) -> Result<i64, Fault> {
    let mut earliest = None;
    for table in tables.iter().filter(|table| table.name == "time") {
        for time in column::<Int64Array>(table.batch.columns(), 0)?.iter().flatten() {
            if time == i64::MAX {
                continue;
            }
            earliest = Some(earliest.map_or(time, |known: i64| known.min(time)));
        }
    }
    Ok(earliest.unwrap_or(i64::MIN))
}
