//! Sessions against those of the sorted rows: neither the order of arrival within lateness nor a restart changes them.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMillisecondType};
use datafusion_functions_aggregate::{count::count_udaf, min_max::max_udaf, sum::sum_udaf};
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use datafusion_physical_expr::expressions::col;
use proptest::prelude::*;

use super::aggregate::Told;
use super::session::build;
use crate::connectors::contract::Op;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::operator::{Operator, Output};
use crate::sql::parse::statement::WindowKind;
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::{AggregateCall, AggregateNode, Changes, EmitMode, WindowNode};

const GAP: i64 = 5;
const DISORDER: i64 = 8;

fn input() -> SchemaRef {
    Arc::new(Schema::new(["k", "v"].map(|name| Field::new(name, DataType::Int64, true)).to_vec()))
}

/// `COUNT(v), SUM(v), MAX(v)` by `k` within sessions.
fn make(emit: EmitMode, lateness: i64, late: LateStrategy) -> Box<dyn Operator> {
    let schema = input();
    let call = |function, name: &str| {
        let made = AggregateExprBuilder::new(function, vec![col("v", &schema).unwrap()]);
        let made = made.schema(Arc::clone(&schema)).alias(name).build().unwrap();
        AggregateCall { function: Arc::new(made), filter: None }
    };
    let calls = vec![call(count_udaf(), "count"), call(sum_udaf(), "sum"), call(max_udaf(), "max")];
    let node = AggregateNode { keys: vec![col("k", &schema).unwrap()], calls, emit };
    let time = DataType::Timestamp(TimeUnit::Millisecond, None);
    let mut fields = vec![Field::new("k", DataType::Int64, true)];
    fields.extend(["window_start", "window_end"].map(|name| Field::new(name, time.clone(), false)));
    fields.extend(["count", "sum", "max"].map(|name| Field::new(name, DataType::Int64, true)));
    let kind = WindowKind::Session { gap: Duration::from_millis(GAP as u64) };
    let window = WindowNode { kind, time: None, lateness: Duration::from_millis(lateness as u64) };
    let told = Told { late, ttl: None };
    build(GAP, &window, &node, schema, Changes::Append, Arc::new(Schema::new(fields)), &told).unwrap()
}

/// Rows as (key, value, time).
fn chunk(rows: &[(i64, i64, i64)]) -> Chunk {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))),
    ];
    Chunk::inserts(RecordBatch::try_new(input(), columns).unwrap(), rows.iter().map(|row| row.2).collect())
}

/// key, start, end, count, sum, max
type Row = [i64; 6];

fn rows_of(out: &Output) -> Vec<(Op, Row)> {
    let mut all = Vec::new();
    for chunk in &out.chunks {
        let whole = |index: usize, row: usize| chunk.batch.column(index).as_primitive::<Int64Type>().value(row);
        let time =
            |index: usize, row: usize| chunk.batch.column(index).as_primitive::<TimestampMillisecondType>().value(row);
        for row in 0..chunk.rows() {
            assert_eq!(chunk.times[row], time(2, row) - 1);
            let values = [whole(0, row), time(1, row), time(2, row), whole(3, row), whole(4, row), whole(5, row)];
            all.push((chunk.op(row), values));
        }
    }
    all
}

fn fold(table: &mut BTreeMap<Row, i64>, out: &Output) {
    for (op, row) in rows_of(out) {
        let count = table.entry(row).or_default();
        *count += if op.is_addition() { 1 } else { -1 };
        assert!((0..=1).contains(count), "{op:?} of {row:?}");
    }
    table.retain(|_, count| *count > 0);
}

fn expected(rows: &[(i64, i64, i64)]) -> BTreeMap<Row, i64> {
    let mut sorted = rows.to_vec();
    sorted.sort_by_key(|row| (row.0, row.2));
    let sessions = sorted.chunk_by(|a, b| a.0 == b.0 && b.2 - a.2 <= GAP);
    let row = |rows: &[(i64, i64, i64)]| {
        let (sum, max) = (rows.iter().map(|row| row.1).sum(), rows.iter().map(|row| row.1).max().unwrap());
        [rows[0].0, rows[0].2, rows[rows.len() - 1].2 + GAP, rows.len() as i64, sum, max]
    };
    sessions.map(|rows| (row(rows), 1)).collect()
}

proptest! {
    #[test]
    fn rows_in_any_order_within_lateness_give_the_sessions_of_the_sorted_rows(
        rows in prop::collection::vec((0_i64..3, -5_i64..6, 0_i64..160, 0..DISORDER), 1..80),
        how in 0_usize..5, cut in 1_usize..12, restart in 0_usize..9, by_lateness in any::<bool>(),
    ) {
        let mut rows = rows;
        rows.sort_by_key(|row| row.2 + row.3);
        let rows: Vec<_> = rows.into_iter().map(|(key, value, time, _)| (key, value, time)).collect();
        let emit = [
            EmitMode::Final,
            EmitMode::Changes { by_record: false },
            EmitMode::Changes { by_record: true },
            EmitMode::Every(Duration::from_millis(100)),
            EmitMode::Final,
        ][how];
        let late = if how == 4 { LateStrategy::UpdatePrevious } else { LateStrategy::Drop };
        // Either the watermark waits, or the sessions do.
        let (lateness, behind) = if by_lateness { (DISORDER, 0) } else { (0, DISORDER) };
        let mut operator = make(emit, lateness, late);
        let (mut table, mut newest, mut promised) = (BTreeMap::new(), i64::MIN, i64::MIN);
        for (index, rows) in rows.chunks(cut).enumerate() {
            if index == restart {
                let tables = operator.snapshot().unwrap();
                operator = make(emit, lateness, late);
                operator.restore(tables).unwrap();
            }
            let mut out = Output::default();
            operator.push(0, chunk(rows), &mut out).unwrap();
            operator.tick(index as i64 * 70, &mut out).unwrap();
            newest = rows.iter().map(|row| row.2).fold(newest, i64::max);
            let next = operator.watermark(newest - behind, &mut out).unwrap();
            prop_assert_eq!(out.late_rows, 0);
            if emit == EmitMode::Final {
                prop_assert!(out.chunks.iter().flat_map(|chunk| chunk.times.iter()).all(|time| *time >= promised));
            }
            promised = next;
            fold(&mut table, &out);
        }
        let mut out = Output::default();
        prop_assert_eq!(operator.watermark(i64::MAX, &mut out).unwrap(), i64::MAX);
        fold(&mut table, &out);
        prop_assert_eq!(table, expected(&rows));
        prop_assert_eq!(operator.state_rows(), 0, "a session is left");
    }
}

#[test]
fn a_row_between_two_sessions_takes_both_back_and_gives_one() {
    let mut operator = make(EmitMode::Changes { by_record: true }, 0, LateStrategy::Drop);
    let mut out = Output::default();
    operator.push(0, chunk(&[(1, 1, 0), (1, 2, 8), (1, 4, 4)]), &mut out).unwrap();
    let given = [
        (Op::Insert, [1, 0, 5, 1, 1, 1]),
        (Op::Insert, [1, 8, 13, 1, 2, 2]),
        (Op::Delete, [1, 0, 5, 1, 1, 1]),
        (Op::Delete, [1, 8, 13, 1, 2, 2]),
        (Op::Insert, [1, 0, 13, 3, 7, 4]),
    ];
    assert_eq!(rows_of(&out), given);
}

/// A session is closed at the watermark 20; then comes a row that would have been in it, and one in time.
fn with_a_late_row(late: LateStrategy) -> (Vec<(Op, Row)>, u64, Vec<&'static str>) {
    let mut operator = make(EmitMode::Final, 0, late);
    let mut out = Output::default();
    operator.push(0, chunk(&[(1, 1, 5)]), &mut out).unwrap();
    operator.watermark(20, &mut out).unwrap();
    operator.push(0, chunk(&[(1, 10, 7), (1, 100, 30)]), &mut out).unwrap();
    operator.watermark(i64::MAX, &mut out).unwrap();
    (rows_of(&out), out.late_rows, out.bad.iter().map(|bad| bad.class).collect())
}

#[test]
fn a_late_row_is_treated_as_its_strategy_says() {
    let first = (Op::Insert, [1, 5, 10, 1, 1, 1]);
    let last = (Op::Insert, [1, 30, 35, 1, 100, 100]);
    assert_eq!(with_a_late_row(LateStrategy::Drop), (vec![first, last], 1, vec![]));
    assert_eq!(with_a_late_row(LateStrategy::DeadLetter), (vec![first, last], 1, vec!["late"]));
    let next = (Op::Insert, [1, 15, 20, 1, 10, 10]);
    assert_eq!(with_a_late_row(LateStrategy::IncludeInNextWindow), (vec![first, next, last], 1, vec![]));
    let (gone, united) = ((Op::Delete, first.1), (Op::Insert, [1, 5, 12, 2, 11, 10]));
    assert_eq!(with_a_late_row(LateStrategy::UpdatePrevious).0, [first, gone, united, last]);
}
