//! Filter and projection over expressions, row by row only where a row fails. It holds no row back.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int8Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit, TimestampMillisecondType};

use super::chunk::Chunk;
use super::evaluate::{FailedRow, arrow_fault, bad_records, evaluate};
use super::operator::{Operator, Output};
use crate::connectors::contract::Op;
use crate::core::fault::{Blame, Fault};
use crate::formats::sentence;
use crate::sql::plan::stream::Expression;

/// A filter, then a projection, then (if asked) another event time.
pub struct Map {
    predicate: Option<Expression>,
    projection: Option<Vec<Expression>>,
    event_time: Option<Expression>,
    schema: SchemaRef,
}

impl Map {
    /// A map to rows of `schema`.
    pub fn new(
        predicate: Option<Expression>,
        projection: Option<Vec<Expression>>,
        event_time: Option<Expression>,
        schema: SchemaRef,
    ) -> Self {
        Self { predicate, projection, event_time, schema }
    }

    fn filtered(&self, chunk: Chunk, out: &mut Output) -> Result<Chunk, Fault> {
        let Some(predicate) = &self.predicate else { return Ok(chunk) };
        let mut failed = Vec::new();
        let values = evaluate(predicate, &chunk.batch, &mut failed)?;
        let Some(mask) = values.as_boolean_opt() else {
            return Err(Fault::new(Blame::Program, format!("the filter `{predicate}` is not true or false")));
        };
        out.bad.extend(bad_records(&chunk, "filter", failed));
        if mask.null_count() == 0 && mask.true_count() == chunk.rows() {
            return Ok(chunk);
        }
        keep(chunk, mask)
    }

    fn projected(&self, chunk: Chunk, out: &mut Output) -> Result<Chunk, Fault> {
        let mut failed: Vec<FailedRow> = Vec::new();
        let columns = match &self.projection {
            Some(expressions) => expressions
                .iter()
                .map(|expression| evaluate(expression, &chunk.batch, &mut failed))
                .collect::<Result<Vec<_>, _>>()?,
            None => chunk.batch.columns().to_vec(),
        };
        let mut chunk = match &self.event_time {
            Some(expression) => {
                let times = times(expression, &chunk.batch, &mut failed)?;
                Chunk { times, ..chunk }
            }
            None => chunk,
        };
        let mut good = None;
        if !failed.is_empty() {
            // A row that fails in several columns is one bad record, with the first reason.
            let rows: BTreeMap<usize, FailedRow> = failed.into_iter().rev().map(|row| (row.row, row)).collect();
            good = Some(BooleanArray::from_iter((0..chunk.rows()).map(|row| Some(!rows.contains_key(&row)))));
            out.bad.extend(bad_records(&chunk, "project", rows.into_values()));
        }
        let columns = match &good {
            Some(mask) => {
                let columns = columns.iter().map(|column| arrow::compute::filter(column, mask));
                let columns = columns.collect::<Result<Vec<_>, _>>().map_err(arrow_fault)?;
                chunk = keep(chunk, mask)?;
                columns
            }
            None => columns,
        };
        let batch = batch_of(&self.schema, columns, chunk.rows())?;
        Ok(chunk.with_batch(batch))
    }
}

impl Operator for Map {
    fn push(&mut self, _port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let chunk = self.filtered(chunk, out)?;
        if chunk.rows() == 0 {
            return Ok(());
        }
        let chunk = if self.projection.is_none() && self.event_time.is_none() {
            let (columns, rows) = (chunk.batch.columns().to_vec(), chunk.rows());
            chunk.with_batch(batch_of(&self.schema, columns, rows)?)
        } else {
            self.projected(chunk, out)?
        };
        out.give(chunk);
        Ok(())
    }
}

/// A batch of a schema; columns that do not fit it are a defect of the plan.
pub fn batch_of(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Fault> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(arrow_fault)
}

/// Event times by an expression. NULL is no time: that row fails.
pub fn times(
    expression: &Expression,
    batch: &RecordBatch,
    failed: &mut Vec<FailedRow>,
) -> Result<arrow::buffer::ScalarBuffer<i64>, Fault> {
    let before = failed.len();
    let values = evaluate(expression, batch, failed)?;
    let values = match values.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => values,
        _ => arrow::compute::cast(&values, &DataType::Timestamp(TimeUnit::Millisecond, None)).map_err(|error| {
            Fault::new(Blame::Program, format!("the event time `{expression}` is no timestamp: {error}"))
        })?,
    };
    let values = values.as_primitive::<TimestampMillisecondType>();
    if let Some(nulls) = values.nulls().filter(|nulls| nulls.null_count() > 0) {
        let known: Vec<usize> = failed[before..].iter().map(|failed| failed.row).collect();
        let missing = (0..values.len()).filter(|row| nulls.is_null(*row) && known.binary_search(row).is_err());
        failed.extend(missing.collect::<Vec<_>>().into_iter().map(|row| FailedRow {
            row,
            class: "event_time",
            message: format!("its event time `{}` is NULL", sentence::expression(expression)),
        }));
    }
    for failed in &mut failed[before..] {
        failed.class = "event_time";
    }
    Ok(values.values().clone())
}

/// The rows that pass. Where one half of an update stays behind, the other is a delete or an insert of its own.
pub fn keep(chunk: Chunk, mask: &BooleanArray) -> Result<Chunk, Fault> {
    let mut chunk = chunk;
    if let Some(ops) = &chunk.ops {
        let passes = |row: usize| mask.is_valid(row) && mask.value(row);
        let mut bytes = ops.values().to_vec();
        for row in 0..bytes.len().saturating_sub(1) {
            if Op::of(bytes[row]) == Op::UpdateBefore && passes(row) != passes(row + 1) {
                bytes[row] = Op::Delete as i8;
                bytes[row + 1] = Op::Insert as i8;
            }
        }
        chunk.ops = Some(Int8Array::from(bytes));
    }
    chunk.filter(mask).map_err(arrow_fault)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{Int64Array, StringArray, UInt32Array};
    use arrow::datatypes::{Field, Int64Type, Schema};
    use datafusion_common::ScalarValue;
    use datafusion_expr::Operator as Binary;
    use datafusion_physical_expr::expressions::{binary, cast, col, lit};

    use super::*;
    use crate::connectors::contract::RawRecord;
    use crate::sql::exec::chunk::Origins;

    fn numbers(values: &[i64]) -> Chunk {
        let column = Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
        Chunk::inserts(RecordBatch::try_from_iter([("v", column)]).unwrap(), values.to_vec().into())
    }

    #[test]
    fn of_an_update_of_which_one_half_passes_an_insert_or_a_delete_is_left() {
        let mut chunk = numbers(&[1, 5, 6, 2, 7, 8]);
        let (before, after) = (Op::UpdateBefore as i8, Op::UpdateAfter as i8);
        chunk.ops = Some(Int8Array::from(vec![before, after, before, after, before, after]));
        let schema = chunk.batch.schema();
        let more = binary(col("v", &schema).unwrap(), Binary::Gt, lit(4_i64), &schema).unwrap();
        let mut map = Map::new(Some(more), None, None, schema);
        let mut out = Output::default();
        map.push(0, chunk, &mut out).unwrap();
        let given = &out.chunks[0];
        let ops: Vec<Op> = (0..given.rows()).map(|row| given.op(row)).collect();
        assert_eq!(ops, [Op::Insert, Op::Delete, Op::UpdateBefore, Op::UpdateAfter]);
    }

    #[test]
    fn a_row_that_fails_goes_to_the_bad_ones_whole_and_the_others_go_on() {
        let schema = Arc::new(Schema::new(vec![Field::new("t", DataType::Utf8, true)]));
        let text = Arc::new(StringArray::from(vec!["1", "x", "3"]));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![text]).unwrap();
        let mut chunk = Chunk::inserts(batch, vec![10, 20, 30].into());
        let record = |offset| RawRecord { topic: "orders".into(), offset, ..RawRecord::default() };
        let records = Arc::new((40..50).map(record).collect::<Vec<_>>());
        chunk.origins = Some(Origins { records, rows: UInt32Array::from(vec![2, 3, 9]) });
        let number = cast(col("t", &schema).unwrap(), &schema, DataType::Int64).unwrap();
        let output = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        let mut map = Map::new(None, Some(vec![number]), None, output);
        let mut out = Output::default();
        map.push(0, chunk, &mut out).unwrap();
        assert_eq!(out.chunks[0].batch.column(0).as_primitive::<Int64Type>().values(), &[1, 3]);
        assert_eq!(out.chunks[0].times.as_ref(), &[10, 30]);
        let bad: Vec<_> = out.bad.iter().map(|bad| (bad.record.offset, bad.stage, bad.class)).collect();
        assert_eq!(bad, [(43, "project", "cast")]);
    }

    #[test]
    fn a_row_without_an_event_time_is_a_bad_record() {
        let schema = Arc::new(Schema::new(vec![Field::new("v", DataType::Int64, true)]));
        let chunk = Chunk::inserts(
            RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Int64Array::from(vec![Some(5), None]))]).unwrap(),
            vec![0, 0].into(),
        );
        let time = cast(col("v", &schema).unwrap(), &schema, DataType::Timestamp(TimeUnit::Millisecond, None)).unwrap();
        let mut map = Map::new(None, None, Some(time), schema.clone());
        let mut out = Output::default();
        map.push(0, chunk, &mut out).unwrap();
        assert_eq!(out.chunks[0].times.as_ref(), &[5]);
        assert_eq!(out.bad[0].class, "event_time");
        let nothing = lit(ScalarValue::Boolean(None));
        let mut none = Map::new(Some(nothing), None, None, schema);
        let mut out = Output::default();
        none.push(0, numbers(&[1]), &mut out).unwrap();
        assert!(out.chunks.is_empty(), "NULL is not true");
    }
}
