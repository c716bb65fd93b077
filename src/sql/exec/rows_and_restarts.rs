//! For the tests of operators over rows `(key, value)`: chunks of them, the table that a changelog comes to, and a run with
//! a restart in it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int8Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use super::chunk::Chunk;
use super::operator::{Operator, Output};
use crate::connectors::contract::Op;

/// A row: what happens, key, value, event time.
pub type Row = (Op, i64, i64, i64);

/// How often each row of columns is there.
pub type Table = BTreeMap<Vec<i64>, i64>;

/// Columns `k` and `v`.
pub fn input() -> SchemaRef {
    Arc::new(Schema::new(["k", "v"].map(|name| Field::new(name, DataType::Int64, true)).to_vec()))
}

/// Rows as a chunk, with ops where one is no insert.
pub fn chunk(rows: &[Row]) -> Chunk {
    let keys = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))) as ArrayRef;
    let values = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2)));
    let ops = rows.iter().any(|row| row.0 != Op::Insert);
    let ops = ops.then(|| Int8Array::from_iter_values(rows.iter().map(|row| row.0 as i8)));
    let batch = RecordBatch::try_new(input(), vec![keys, values]).unwrap();
    Chunk { ops, ..Chunk::inserts(batch, rows.iter().map(|row| row.3).collect()) }
}

/// Folds a changelog into a table; times are milliseconds there.
pub fn fold(table: &mut Table, out: &Output) {
    for chunk in &out.chunks {
        let whole = |column: &ArrayRef| arrow::compute::cast(column, &DataType::Int64).unwrap();
        let columns: Vec<ArrayRef> = chunk.batch.columns().iter().map(whole).collect();
        for row in 0..chunk.rows() {
            let values = columns.iter().map(|column| column.as_primitive::<Int64Type>().value(row)).collect();
            let count = table.entry(values).or_default();
            *count += if chunk.op(row).is_addition() { 1 } else { -1 };
            assert!(*count >= 0, "a row goes that never came");
        }
    }
    table.retain(|_, count| *count > 0);
}

/// The operator with the state of another.
pub fn restarted(mut operator: Box<dyn Operator>, make: &dyn Fn() -> Box<dyn Operator>) -> Box<dyn Operator> {
    let tables = operator.snapshot().unwrap();
    let mut next = make();
    next.restore(tables).unwrap();
    next
}

/// Pushes rows in chunks of `cut`, with a restart before chunk number `restart` and `between` behind each chunk; answers
/// with the operator and the table that its changelog comes to so far.
pub fn run(
    make: &dyn Fn() -> Box<dyn Operator>,
    rows: &[Row],
    cut: usize,
    restart: usize,
    between: &dyn Fn(&mut dyn Operator, usize, &mut Output),
) -> (Box<dyn Operator>, Table) {
    let (mut operator, mut table) = (make(), Table::new());
    for (index, rows) in rows.chunks(cut).enumerate() {
        if index == restart {
            operator = restarted(operator, make);
        }
        let mut out = Output::default();
        operator.push(0, chunk(rows), &mut out).unwrap();
        operator.flush(&mut out).unwrap();
        between(operator.as_mut(), index, &mut out);
        fold(&mut table, &out);
    }
    (operator, table)
}

/// Rows that come and, where `goes` says so and there is one, others that go: what came and went, and what is left.
pub fn coming_and_going(steps: Vec<(i64, i64, i64, bool)>) -> (Vec<Row>, Vec<(i64, i64, i64)>) {
    let (mut all, mut left): (Vec<Row>, Vec<(i64, i64, i64)>) = (Vec::new(), Vec::new());
    for (key, value, time, goes) in steps {
        all.push((Op::Insert, key, value, time));
        left.push((key, value, time));
        if goes {
            let (key, value, time) = left.remove(left.len() / 2);
            all.push((Op::Delete, key, value, time));
        }
    }
    (all, left)
}
