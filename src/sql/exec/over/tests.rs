//! Window functions over rows that come out of order, against the same functions over the sorted rows.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use arrow::array::{AsArray, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::{Field, Int64Type, Schema, TimeUnit, UInt64Type};
use datafusion_common::ScalarValue;
use datafusion_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition};
use datafusion_functions_aggregate::sum::sum_udaf;
use datafusion_functions_window::{lead_lag, row_number};
use datafusion_physical_expr::PhysicalSortExpr;
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use datafusion_physical_expr::expressions::{col, lit};
use datafusion_physical_plan::windows::create_window_expr;
use proptest::prelude::*;

use super::*;
use crate::sql::plan::stream::{AggregateCall, Buffer, OverCall, SortKey};

fn input() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Millisecond, None);
    let fields = [("k", DataType::Int64), ("v", DataType::Int64), ("t", time)];
    Arc::new(Schema::new(fields.map(|(name, of)| Field::new(name, of, true)).to_vec()))
}

fn call(name: &str, function: WindowFunctionDefinition, arguments: &[Expression], before: Option<u64>) -> OverCall {
    let schema = input();
    let frame = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(before)),
        WindowFrameBound::CurrentRow,
    );
    let order = PhysicalSortExpr::new_default(col("t", &schema).unwrap());
    let partition = [col("k", &schema).unwrap()];
    let expression = create_window_expr(
        &function,
        name.to_owned(),
        arguments,
        &partition,
        &[order],
        Arc::new(frame.clone()),
        schema,
        false,
        false,
        None,
    );
    let aggregate = match function {
        WindowFunctionDefinition::AggregateUDF(function) => {
            let made = AggregateExprBuilder::new(function, arguments.to_vec()).schema(input()).alias(name).build();
            Some(AggregateCall { function: Arc::new(made.unwrap()), filter: None })
        }
        WindowFunctionDefinition::WindowUDF(_) => None,
    };
    OverCall { expression: expression.unwrap(), frame, function: name.to_owned(), aggregate }
}

/// `ROW_NUMBER(), LAG(v), LEAD(v, 2), SUM(v) ROWS 2 PRECEDING, SUM(v)` from the beginning, by `k` in order of `t`;
/// a longer silence begins anew.
fn make(is_bounded: bool, silence_ms: Option<u64>) -> Box<dyn Operator> {
    let schema = input();
    let value = col("v", &schema).unwrap();
    let udwf = WindowFunctionDefinition::WindowUDF;
    let calls = vec![
        call("row_number", udwf(row_number::row_number_udwf()), &[], None),
        call("lag", udwf(lead_lag::lag_udwf()), &[Arc::clone(&value)], None),
        call("lead", udwf(lead_lag::lead_udwf()), &[Arc::clone(&value), lit(2_i64)], None),
        call("sum", WindowFunctionDefinition::AggregateUDF(sum_udaf()), &[Arc::clone(&value)], Some(2)),
        call("sum", WindowFunctionDefinition::AggregateUDF(sum_udaf()), &[value], None),
    ];
    let mut fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.extend(calls.iter().map(|call| call.expression.field().unwrap().as_ref().clone().with_nullable(true)));
    let order = SortKey { expression: col("t", &schema).unwrap(), descending: false, nulls_first: false };
    let node = OverNode {
        partition: vec![col("k", &schema).unwrap()],
        order: vec![order],
        calls,
        buffer: silence_ms.map(|silence_ms| Buffer {
            rows: 3,
            emits_when_full: false,
            expires: Some(Duration::from_millis(silence_ms)),
        }),
        is_bounded,
        window_end: None,
        is_by_event_time: true,
    };
    build(&node, &schema, &Arc::new(Schema::new(fields)), LateStrategy::Drop).unwrap()
}

type Answer = (i64, i64, u64, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

fn answers(out: Output) -> Vec<Answer> {
    assert_eq!((out.late_rows, out.bad.len()), (0, 0));
    let mut all = Vec::new();
    for chunk in out.chunks {
        let at = |column: usize| chunk.batch.column(column).as_primitive::<Int64Type>().iter().collect::<Vec<_>>();
        let number = chunk.batch.column(3).as_primitive::<UInt64Type>();
        let (key, lag, lead, sum, running) = (at(0), at(4), at(5), at(6), at(7));
        for row in 0..chunk.rows() {
            let (key, time, number) = (key[row].unwrap(), chunk.times[row], number.value(row));
            all.push((key, time, number, lag[row], lead[row], sum[row], running[row]));
        }
    }
    all
}

const DISORDER: i64 = 8;

proptest! {
    #[test]
    fn rows_out_of_order_are_answered_as_sorted_ones(
        rows in prop::collection::vec((0_i64..3, -9_i64..9, 0..DISORDER), 1..60), cut in 1_usize..8,
        restart in 0_usize..9, is_bounded in any::<bool>(), silence in prop::option::of(2_u64..9),
    ) {
        // Times are apart, so that there is one right order.
        let mut rows: Vec<_> =
            rows.into_iter().enumerate().map(|(at, (key, value, delay))| (key, value, at as i64 * 2, delay)).collect();
        let sorted = rows.clone();
        rows.sort_by_key(|row| row.2 + row.3);
        let (mut operator, mut given, mut newest) = (make(is_bounded, silence), Vec::new(), i64::MIN);
        for (index, rows) in rows.chunks(cut).enumerate() {
            if index == restart {
                let tables = operator.snapshot().unwrap();
                operator = make(is_bounded, silence);
                operator.restore(tables).unwrap();
            }
            let columns: Vec<ArrayRef> = vec![
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))),
                Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.2))),
            ];
            let batch = RecordBatch::try_new(input(), columns).unwrap();
            let mut out = Output::default();
            operator.push(0, Chunk::inserts(batch, rows.iter().map(|row| row.2).collect()), &mut out).unwrap();
            newest = rows.iter().map(|row| row.2).fold(newest, i64::max);
            operator.watermark(newest - DISORDER, &mut out).unwrap();
            given.extend(answers(out));
        }
        let mut out = Output::default();
        operator.watermark(i64::MAX, &mut out).unwrap();
        given.extend(answers(out));
        given.sort_unstable();
        let mut expected: Vec<Answer> = Vec::new();
        for key in 0..3 {
            let of: Vec<_> = sorted.iter().filter(|row| row.0 == key).collect();
            for of in of.chunk_by(|one, next| silence.is_none_or(|silence| next.2 - one.2 <= silence as i64)) {
                for at in 0..of.len() {
                    let value = |at: Option<usize>| at.and_then(|at| of.get(at)).map(|row| row.1);
                    let sum = of[at.saturating_sub(2)..=at].iter().map(|row| row.1).sum();
                    let running = of[..=at].iter().map(|row| row.1).sum();
                    let (before, behind) = (value(at.checked_sub(1)), value(Some(at + 2)));
                    expected.push((key, of[at].2, at as u64 + 1, before, behind, Some(sum), Some(running)));
                }
            }
        }
        expected.sort_unstable();
        prop_assert_eq!(given, expected);
    }
}

/// `SUM(v)` over one row before and the row, of rows at their times.
fn sums(rows: &[i64]) -> (Vec<Option<i64>>, Vec<&'static str>) {
    let schema = input();
    let value = col("v", &schema).unwrap();
    let calls = vec![call("sum", WindowFunctionDefinition::AggregateUDF(sum_udaf()), &[value], Some(1))];
    let mut fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new("sum", DataType::Int64, true));
    let order = SortKey { expression: col("t", &schema).unwrap(), descending: false, nulls_first: false };
    let node = OverNode {
        partition: Vec::new(),
        order: vec![order],
        calls,
        buffer: None,
        is_bounded: false,
        window_end: None,
        is_by_event_time: true,
    };
    let mut operator = build(&node, &schema, &Arc::new(Schema::new(fields)), LateStrategy::Drop).unwrap();
    let mut out = Output::default();
    for (time, value) in (0_i64..).zip(rows) {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![0])),
            Arc::new(Int64Array::from(vec![*value])),
            Arc::new(TimestampMillisecondArray::from(vec![time])),
        ];
        let batch = RecordBatch::try_new(input(), columns).unwrap();
        operator.push(0, Chunk::inserts(batch, vec![time].into()), &mut out).unwrap();
        operator.watermark(time + 1, &mut out).unwrap();
    }
    let sums = out.chunks.iter().flat_map(|chunk| chunk.batch.column(3).as_primitive::<Int64Type>().iter());
    (sums.collect(), out.bad.iter().map(|bad| bad.class).collect())
}

#[test]
fn a_frame_whose_sum_does_not_fit_costs_its_row_and_no_other() {
    let found = sums(&[i64::MAX - 1, 5, -9, 4, -5, i64::MAX, 3]);
    let expected = [i64::MAX - 1, -4, -5, -1, i64::MAX - 5].map(Some).to_vec();
    assert_eq!(found, (expected, vec!["overflow"; 2]));
    // What is left when the -5 goes would not fit, and neither does the frame.
    assert_eq!(sums(&[-5, i64::MAX, 1, 1]), ([-5, i64::MAX - 5, 2].map(Some).to_vec(), vec!["overflow"]));
}
