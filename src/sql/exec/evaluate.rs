//! Evaluates an expression over a batch so that a row that fails costs that row and no other. It keeps nothing.

use arrow::array::{ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{concat, take_record_batch};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion_common::DataFusionError;

use super::chunk::Chunk;
use crate::connectors::contract::{BadRecord, RawRecord};
use crate::core::fault::{Blame, Fault};
use crate::formats::sentence;
use crate::sql::plan::stream::Expression;

/// Rows tried together once a batch has failed. With one bad row in 1,000, most groups pass at once and the search
/// inside a failing one is 6 steps: about twice the work of a good batch.
const GROUP_ROWS: usize = 64;

/// A row for which an expression failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRow {
    /// Its position in the batch.
    pub row: usize,
    /// The kind of error, as in [`BadRecord::class`].
    pub class: &'static str,
    /// What is wrong.
    pub message: String,
}

/// The values of an expression, one a row. Rows that fail are NULL here and stand in `failed`.
///
/// # Errors
/// What no row can be blamed for: a defect of the plan.
pub fn evaluate(expression: &Expression, batch: &RecordBatch, failed: &mut Vec<FailedRow>) -> Result<ArrayRef, Fault> {
    match whole(expression, batch) {
        Ok(values) => Ok(values),
        Err(error) if is_defect(&error) => Err(defect(expression, &error)),
        Err(_) => {
            let data_type = expression.data_type(&batch.schema()).map_err(|error| defect(expression, &error))?;
            let mut search = Search { expression, batch, data_type, pieces: Vec::new(), failed };
            let rows = batch.num_rows();
            for start in (0..rows).step_by(GROUP_ROWS) {
                search.look(start, GROUP_ROWS.min(rows - start))?;
            }
            let pieces: Vec<_> = search.pieces.iter().map(AsRef::as_ref).collect();
            concat(&pieces).map_err(arrow_fault)
        }
    }
}

struct Search<'a> {
    expression: &'a Expression,
    batch: &'a RecordBatch,
    data_type: DataType,
    pieces: Vec<ArrayRef>,
    failed: &'a mut Vec<FailedRow>,
}

impl Search<'_> {
    /// Rows of the batch, copied where some hold arrays: behind arrays that are only cut stand the elements of the other rows,
    /// and a kernel that fails for one of those fails for all.
    fn part(&self, start: usize, rows: usize) -> Result<RecordBatch, Fault> {
        if !self.batch.columns().iter().any(|column| column.data_type().is_nested()) {
            return Ok(self.batch.slice(start, rows));
        }
        let indices = UInt32Array::from_iter_values(start as u32..(start + rows) as u32);
        take_record_batch(self.batch, &indices).map_err(arrow_fault)
    }

    fn look(&mut self, start: usize, rows: usize) -> Result<(), Fault> {
        match whole(self.expression, &self.part(start, rows)?) {
            Ok(values) => self.pieces.push(values),
            Err(error) if is_defect(&error) => return Err(defect(self.expression, &error)),
            Err(error) if rows == 1 => {
                self.failed.push(FailedRow { row: start, class: class_of(&error), message: message_of(&error) });
                self.pieces.push(new_null_array(&self.data_type, 1));
            }
            Err(_) => {
                let half = rows / 2;
                self.look(start, half)?;
                self.look(start + half, rows - half)?;
            }
        }
        Ok(())
    }
}

fn whole(expression: &Expression, batch: &RecordBatch) -> Result<ArrayRef, DataFusionError> {
    expression.evaluate(batch)?.into_array(batch.num_rows())
}

/// The records behind failed rows of a chunk, as bad records of a stage.
pub fn bad_records<'a>(
    chunk: &'a Chunk,
    stage: &'static str,
    failed: impl IntoIterator<Item = FailedRow> + 'a,
) -> impl Iterator<Item = BadRecord> + 'a {
    failed.into_iter().map(move |failed| BadRecord {
        record: record_of(chunk, failed.row),
        stage,
        class: failed.class,
        message: failed.message,
    })
}

/// The record behind a row; without its origin only its time is known.
pub fn record_of(chunk: &Chunk, row: usize) -> RawRecord {
    match &chunk.origins {
        Some(origins) => origins.records[origins.rows.value(row) as usize].clone(),
        None => RawRecord { offset: -1, timestamp_ms: chunk.times.get(row).copied(), ..RawRecord::default() },
    }
}

/// An error that arrow's kernels give only where this program is wrong.
pub fn arrow_fault(error: ArrowError) -> Fault {
    Fault::new(Blame::Program, format!("columns do not fit each other: {error}"))
}

fn defect(expression: &Expression, error: &DataFusionError) -> Fault {
    Fault::new(Blame::Program, format!("`{expression}` cannot be computed: {error}"))
}

/// Whether an error says that the plan is wrong rather than a row.
fn is_defect(error: &DataFusionError) -> bool {
    matches!(
        error.find_root(),
        DataFusionError::Internal(_)
            | DataFusionError::Plan(_)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::ResourcesExhausted(_)
    )
}

/// The kind of an error, one word a kind.
fn class_of(error: &DataFusionError) -> &'static str {
    let text = error.to_string();
    match error.find_root() {
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::DivideByZero => "division",
            ArrowError::ArithmeticOverflow(_) => "overflow",
            ArrowError::CastError(_) | ArrowError::ParseError(_) => "cast",
            // Decimal kernels say "is too large to store in a Decimal128 of precision" under this variant.
            ArrowError::InvalidArgumentError(text) if text.contains("too large") || text.contains("too small") => {
                "overflow"
            }
            _ => "evaluation",
        },
        _ if text.contains("ivide by zero") => "division",
        _ if text.contains("verflow") => "overflow",
        _ if text.contains("cast") || text.contains("parse") => "cast",
        _ => "evaluation",
    }
}

/// The sentence of an error without the names of libraries and types in front of it.
fn message_of(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::ArrowError(error, _) => sentence::plain(&error.to_string()),
        DataFusionError::Execution(text) => sentence::plain(text),
        other => sentence::plain(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::array::{Array, AsArray, Decimal128Array, Int64Array, StringArray};
    use arrow::datatypes::{Field, Int64Type, Schema};
    use datafusion_expr::Operator;
    use datafusion_physical_expr::expressions::{NegativeExpr, binary, cast, col};

    use super::*;
    use crate::sql::functions::checked::checked;

    #[test]
    fn of_rows_that_do_not_cast_each_one_is_named_and_the_others_keep_their_values() {
        let words: Vec<String> =
            (0..1_000).map(|i| if i % 250 == 7 { format!("no{i}") } else { i.to_string() }).collect();
        let schema = Arc::new(Schema::new(vec![Field::new("t", DataType::Utf8, true)]));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(StringArray::from(words))]).unwrap();
        let number = cast(col("t", &schema).unwrap(), &schema, DataType::Int64).unwrap();
        let mut failed = Vec::new();
        let values = evaluate(&number, &batch, &mut failed).unwrap();
        let values = values.as_primitive::<Int64Type>();
        assert_eq!(failed.iter().map(|row| row.row).collect::<Vec<_>>(), [7, 257, 507, 757]);
        assert!(failed.iter().all(|row| row.class == "cast"), "{failed:?}");
        assert_eq!((values.len(), values.null_count(), values.value(999)), (1_000, 4, 999));
    }

    fn failed(batch: &RecordBatch, operator: Operator) -> Vec<(usize, &'static str)> {
        let schema = batch.schema();
        let expression = binary(col("a", &schema).unwrap(), operator, col("b", &schema).unwrap(), &schema).unwrap();
        let mut failed = Vec::new();
        evaluate(&checked(expression), batch, &mut failed).unwrap();
        failed.into_iter().map(|row| (row.row, row.class)).collect()
    }

    #[test]
    fn whole_numbers_do_not_wrap() {
        let column = |values: &[i64]| Arc::new(Int64Array::from(values.to_vec())) as _;
        let batch = RecordBatch::try_from_iter([("a", column(&[1, i64::MAX])), ("b", column(&[2, 1]))]).unwrap();
        assert_eq!(failed(&batch, Operator::Plus), [(1, "overflow")]);
        let batch = RecordBatch::try_from_iter([("a", column(&[5, i64::MAX])), ("b", column(&[0, 3]))]).unwrap();
        assert_eq!(failed(&batch, Operator::Multiply), [(1, "overflow")]);
        assert_eq!(failed(&batch, Operator::Divide), [(0, "division")]);
    }

    #[test]
    fn a_decimal_of_39_digits_is_an_overflow_though_its_128_bits_would_hold_it() {
        let column = |values: &[i128]| {
            Arc::new(Decimal128Array::from(values.to_vec()).with_precision_and_scale(38, 2).unwrap()) as _
        };
        let large = 9 * 10_i128.pow(37);
        let batch = RecordBatch::try_from_iter([
            ("a", column(&[large, 100])),
            ("b", column(&[large - 5 * 10_i128.pow(37), 1])),
        ])
        .unwrap();
        assert_eq!(failed(&batch, Operator::Plus), [(0, "overflow")]);
    }

    #[test]
    fn the_least_number_has_no_negative() {
        let schema = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
        let negative: Expression = Arc::new(NegativeExpr::new(col("a", &schema).unwrap()));
        let batch = RecordBatch::try_new(Arc::new(schema.clone()), vec![Arc::new(Int64Array::from(vec![3, i64::MIN]))])
            .unwrap();
        let mut failed = Vec::new();
        let values = evaluate(&checked(negative), &batch, &mut failed).unwrap();
        assert_eq!((values.as_primitive::<Int64Type>().value(0), failed.len()), (-3, 1));
    }
}
