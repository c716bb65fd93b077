//! Joins against an oracle that compares every row with every other.
#![allow(clippy::unwrap_used)]

mod bounded;
mod hot;
mod lookups;
mod updating;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int8Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use datafusion_common::JoinType;
use datafusion_expr::Operator as Compared;
use datafusion_physical_expr::expressions::{Column, binary};

use super::{JoinInput, build};
use crate::connectors::contract::Op;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::operator::{Operator, Output};
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::{Changes, Expression, JoinBound, JoinNode};

/// How properties are tested: often enough to meet every pair of kinds, seldom enough for every build.
fn properties() -> proptest::test_runner::Config {
    proptest::test_runner::Config { cases: 96, failure_persistence: None, ..Default::default() }
}

/// All kinds of joins.
const KINDS: [JoinType; 10] = [
    JoinType::Inner,
    JoinType::Left,
    JoinType::Right,
    JoinType::Full,
    JoinType::LeftSemi,
    JoinType::LeftAnti,
    JoinType::LeftMark,
    JoinType::RightSemi,
    JoinType::RightAnti,
    JoinType::RightMark,
];

/// Kinds that `IN` with a subquery becomes, where a NULL may be equal to any.
const ASKING: [JoinType; 3] = [JoinType::LeftSemi, JoinType::LeftAnti, JoinType::LeftMark];

/// A row of either side: columns `key`, `value`, `id` and `end`, the end of its window of 100 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Row {
    key: Option<i64>,
    value: i64,
    id: i64,
    time: i64,
}

impl Row {
    fn end(self) -> i64 {
        self.time.div_euclid(100) * 100 + 100
    }

    fn cells(self) -> [Option<i64>; 4] {
        [self.key, Some(self.value), Some(self.id), Some(self.end())]
    }
}

/// Cells of a row of output, numbers throughout.
type Cells = Vec<Option<i64>>;

/// What is joined how.
#[derive(Debug, Clone)]
struct Case {
    kind: JoinType,
    bound: JoinBound,
    /// `left.value <= right.value`.
    has_filter: bool,
    nulls_equal: bool,
    null_aware: bool,
    /// Keys are text, not numbers.
    is_text: bool,
    changes: [Changes; 2],
    late: LateStrategy,
    identity: [Vec<usize>; 2],
}

impl Case {
    fn new(kind: JoinType, bound: JoinBound) -> Self {
        Self {
            kind,
            bound,
            has_filter: false,
            nulls_equal: false,
            null_aware: false,
            is_text: false,
            changes: [Changes::Append; 2],
            late: LateStrategy::Drop,
            identity: [Vec::new(), Vec::new()],
        }
    }

    fn schema(&self) -> SchemaRef {
        let key = if self.is_text { DataType::Utf8 } else { DataType::Int64 };
        Arc::new(Schema::new(vec![
            Field::new("key", key, true),
            Field::new("value", DataType::Int64, false),
            Field::new("id", DataType::Int64, false),
            Field::new("end", DataType::Timestamp(TimeUnit::Millisecond, None), false),
        ]))
    }

    fn output(&self) -> SchemaRef {
        let side = self.schema();
        let mut fields: Vec<_> = side.fields().iter().cloned().collect();
        match self.kind {
            JoinType::LeftMark | JoinType::RightMark => {
                fields.push(Arc::new(Field::new("mark", DataType::Boolean, false)));
            }
            JoinType::LeftSemi | JoinType::LeftAnti | JoinType::RightSemi | JoinType::RightAnti => {}
            _ => fields.extend(side.fields().iter().cloned()),
        }
        Arc::new(Schema::new(fields))
    }

    fn operator(&self, state_ttl: Option<std::time::Duration>) -> Box<dyn Operator> {
        let schema = self.schema();
        let both = Schema::new([schema.fields().to_vec(), schema.fields().to_vec()].concat());
        let column = |name: &str, index: usize| -> Expression { Arc::new(Column::new(name, index)) };
        let filter = || binary(column("value", 1), Compared::LtEq, column("value", 5), &both).unwrap();
        let node = JoinNode {
            undated: [false; 2],
            join_type: self.kind,
            on: vec![(column("key", 0), column("key", 0))],
            filter: self.has_filter.then(filter),
            nulls_equal: self.nulls_equal,
            null_aware: self.null_aware,
            bound: self.bound.clone(),
        };
        let input = |side: usize| JoinInput {
            schema: Arc::clone(&schema),
            changes: self.changes[side],
            key: self.identity[side].clone(),
        };
        build(&node, input(0), input(1), &self.output(), state_ttl, self.late).unwrap()
    }

    fn chunk(&self, rows: &[(Row, Op)]) -> Chunk {
        let keys = rows.iter().map(|(row, _)| row.key);
        let key: ArrayRef = if self.is_text {
            Arc::new(keys.map(|key| key.map(|key| format!("key {key}"))).collect::<StringArray>())
        } else {
            Arc::new(keys.collect::<Int64Array>())
        };
        let ends = arrow::array::TimestampMillisecondArray::from_iter_values(rows.iter().map(|(row, _)| row.end()));
        let columns: Vec<ArrayRef> = vec![
            key,
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|(row, _)| row.value))),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|(row, _)| row.id))),
            Arc::new(ends),
        ];
        let batch = RecordBatch::try_new(self.schema(), columns).unwrap();
        let times: Vec<i64> = rows.iter().map(|(row, _)| row.time).collect();
        let mut chunk = Chunk::inserts(batch, times.into());
        if rows.iter().any(|(_, op)| *op != Op::Insert) {
            chunk.ops = Some(Int8Array::from_iter_values(rows.iter().map(|(_, op)| *op as i8)));
        }
        chunk
    }

    /// Whether two rows are partners, as far as key and filter say.
    fn are_partners(&self, left: &Row, right: &Row) -> bool {
        let are_equal = match (left.key, right.key) {
            (Some(one), Some(other)) => one == other,
            (None, None) => self.nulls_equal || self.null_aware,
            _ => self.null_aware,
        };
        are_equal && (!self.has_filter || left.value <= right.value)
    }

    /// The join of all rows with all rows.
    fn oracle(&self, left: &[Row], right: &[Row], within: impl Fn(&Row, &Row) -> bool) -> Vec<Cells> {
        let are = |l: &Row, r: &Row| self.are_partners(l, r) && within(l, r);
        let has_right = |l: &Row| right.iter().any(|r| are(l, r));
        let has_left = |r: &Row| left.iter().any(|l| are(l, r));
        let nothing = [None; 4];
        let mut rows: Vec<Cells> = Vec::new();
        let member = |rows: &[Row], has: &dyn Fn(&Row) -> bool, wanted: &[bool], marks: bool| -> Vec<Cells> {
            rows.iter()
                .filter(|row| wanted.contains(&has(row)))
                .map(|row| {
                    [row.cells().to_vec(), if marks { vec![Some(i64::from(has(row)))] } else { vec![] }].concat()
                })
                .collect()
        };
        match self.kind {
            JoinType::LeftSemi => return sorted(member(left, &has_right, &[true], false)),
            JoinType::LeftAnti => return sorted(member(left, &has_right, &[false], false)),
            JoinType::LeftMark => return sorted(member(left, &has_right, &[true, false], true)),
            JoinType::RightSemi => return sorted(member(right, &has_left, &[true], false)),
            JoinType::RightAnti => return sorted(member(right, &has_left, &[false], false)),
            JoinType::RightMark => return sorted(member(right, &has_left, &[true, false], true)),
            _ => {}
        }
        for l in left {
            rows.extend(right.iter().filter(|r| are(l, r)).map(|r| [l.cells(), r.cells()].concat()));
        }
        if matches!(self.kind, JoinType::Left | JoinType::Full) {
            rows.extend(left.iter().filter(|l| !has_right(l)).map(|l| [l.cells(), nothing].concat()));
        }
        if matches!(self.kind, JoinType::Right | JoinType::Full) {
            rows.extend(right.iter().filter(|r| !has_left(r)).map(|r| [nothing, r.cells()].concat()));
        }
        sorted(rows)
    }
}

fn sorted(mut rows: Vec<Cells>) -> Vec<Cells> {
    rows.sort();
    rows
}

/// The operator after a stop and a start.
fn restarted(case: &Case, mut operator: Box<dyn Operator>) -> Box<dyn Operator> {
    let tables = operator.snapshot().unwrap();
    // Rows are spread over instances by the keys of the join alone, as the exchange in front of it does.
    assert!(tables.iter().all(|table| table.keys == usize::from(table.name != "clock")));
    let mut started = case.operator(None);
    started.restore(tables).unwrap();
    assert_eq!(started.state_rows(), operator.state_rows());
    started
}

/// The rows of a chunk as numbers.
fn cells(chunk: &Chunk) -> Vec<Cells> {
    let column = |array: &ArrayRef| -> Vec<Option<i64>> {
        match array.data_type() {
            DataType::Utf8 => {
                array.as_string::<i32>().iter().map(|text| text.map(|text| text[4..].parse().unwrap())).collect()
            }
            DataType::Boolean => {
                let truths: &BooleanArray = array.as_boolean();
                truths.iter().map(|truth| truth.map(i64::from)).collect()
            }
            _ => {
                let numbers = arrow::compute::cast(array, &DataType::Int64).unwrap();
                numbers.as_primitive::<Int64Type>().iter().collect()
            }
        }
    };
    let columns: Vec<Vec<Option<i64>>> = chunk.batch.columns().iter().map(column).collect();
    (0..chunk.rows()).map(|row| columns.iter().map(|column| column[row]).collect()).collect()
}

/// A table that changes are folded into.
#[derive(Debug, Default)]
struct Folded(BTreeMap<Cells, i64>);

impl Folded {
    /// Applies what came out. A row that was not there cannot be taken back, and a replacement is never torn apart.
    fn take(&mut self, out: &mut Output) {
        for chunk in out.chunks.drain(..) {
            let rows = cells(&chunk);
            for (row, cells) in rows.into_iter().enumerate() {
                let op = chunk.op(row);
                if op == Op::UpdateBefore {
                    assert_eq!(chunk.op(row + 1), Op::UpdateAfter);
                }
                if op == Op::UpdateAfter {
                    assert_eq!(chunk.op(row - 1), Op::UpdateBefore);
                }
                let count = self.0.entry(cells.clone()).or_default();
                *count += if op.is_addition() { 1 } else { -1 };
                assert!(*count >= 0, "{cells:?} is taken back and was not there");
                if *count == 0 {
                    self.0.remove(&cells);
                }
            }
        }
        assert!(out.bad.is_empty(), "{:?}", out.bad);
    }

    fn rows(&self) -> Vec<Cells> {
        self.0.iter().flat_map(|(cells, count)| std::iter::repeat_n(cells.clone(), *count as usize)).collect()
    }
}
