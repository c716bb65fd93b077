//! Looking into a table against the definition of a join: every row of the stream beside every row of the table.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int8Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion_common::JoinType;
use datafusion_expr::Operator as Compared;
use datafusion_physical_expr::expressions::{Column, binary};
use proptest::prelude::*;

use super::*;
use crate::connectors::contract::Op;
use crate::sql::exec::budget::Budget;
use crate::sql::exec::join::JoinInput;
use crate::sql::plan::stream::{Changes, Expression, FullCache, JoinBound, JoinNode};

/// Far above what a test holds.
const BYTES: usize = 1 << 30;
const KINDS: [JoinType; 5] =
    [JoinType::Inner, JoinType::Left, JoinType::LeftSemi, JoinType::LeftAnti, JoinType::LeftMark];

type Row = (Option<i64>, i64);

#[derive(Debug, Clone, Copy)]
struct Case {
    kind: JoinType,
    /// `left.value <= right.value`.
    has_filter: bool,
    nulls_equal: bool,
    is_text: bool,
}

impl Case {
    fn schema(self) -> SchemaRef {
        let key = if self.is_text { DataType::Utf8 } else { DataType::Int64 };
        Arc::new(Schema::new(vec![Field::new("key", key, true), Field::new("value", DataType::Int64, false)]))
    }

    fn chunk(self, rows: &[Row]) -> Chunk {
        let keys = rows.iter().map(|row| row.0);
        let key: ArrayRef = match self.is_text {
            true => Arc::new(keys.map(|key| key.map(|key| format!("key {key}"))).collect::<StringArray>()),
            false => Arc::new(keys.collect::<Int64Array>()),
        };
        let value: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)));
        let batch = RecordBatch::try_new(self.schema(), vec![key, value]).unwrap();
        Chunk::inserts(batch, rows.iter().map(|row| row.1).collect())
    }

    fn cache(self, budget: &Arc<Budget>) -> Arc<Cache> {
        let schema = self.schema();
        let both = Schema::new([schema.fields().to_vec(), schema.fields().to_vec()].concat());
        let column = |name: &str, index: usize| -> Expression { Arc::new(Column::new(name, index)) };
        let filter = || binary(column("value", 1), Compared::LtEq, column("value", 3), &both).unwrap();
        let node = JoinNode {
            undated: [false; 2],
            join_type: self.kind,
            on: vec![(column("key", 0), column("key", 0))],
            filter: self.has_filter.then(filter),
            bound: JoinBound::Lookup(FullCache { reload: None }),
            null_aware: false,
            nulls_equal: self.nulls_equal,
        };
        let mut fields = schema.fields().to_vec();
        match self.kind {
            JoinType::Inner | JoinType::Left => fields.extend(schema.fields().iter().cloned()),
            JoinType::LeftMark => fields.push(Arc::new(Field::new("mark", DataType::Boolean, false))),
            _ => {}
        }
        let input = || JoinInput { schema: self.schema(), changes: Changes::Append, key: Vec::new() };
        let output = Arc::new(Schema::new(fields));
        Arc::new(Cache::new("t", &node, &input(), &input(), &output, budget).unwrap())
    }

    /// What the definition says: the values of left and right, `None` where a row has no partner, and the mark.
    fn expected(self, left: &[Row], right: &[Row]) -> Vec<(i64, Option<i64>)> {
        let mut rows = Vec::new();
        for (key, value) in left {
            let is_key =
                |other: &Row| if self.nulls_equal { *key == other.0 } else { key.is_some() && *key == other.0 };
            let partners = right.iter().filter(|other| is_key(other) && (!self.has_filter || *value <= other.1));
            let partners: Vec<i64> = partners.map(|other| other.1).collect();
            match self.kind {
                JoinType::Inner => rows.extend(partners.iter().map(|other| (*value, Some(*other)))),
                JoinType::Left if partners.is_empty() => rows.push((*value, None)),
                JoinType::Left => rows.extend(partners.iter().map(|other| (*value, Some(*other)))),
                JoinType::LeftSemi if !partners.is_empty() => rows.push((*value, None)),
                JoinType::LeftAnti if partners.is_empty() => rows.push((*value, None)),
                JoinType::LeftMark => rows.push((*value, Some(i64::from(!partners.is_empty())))),
                _ => {}
            }
        }
        rows
    }

    fn found(self, chunks: &[Chunk]) -> Vec<(i64, Option<i64>)> {
        let mut rows = Vec::new();
        for chunk in chunks {
            assert!(chunk.ops.is_none());
            let left = chunk.batch.column(1).as_primitive::<Int64Type>();
            for row in 0..chunk.rows() {
                assert_eq!(chunk.times[row], left.value(row), "a row keeps its time");
                let other = match self.kind {
                    JoinType::Inner | JoinType::Left => {
                        let right = chunk.batch.column(3).as_primitive::<Int64Type>();
                        right.is_valid(row).then(|| right.value(row))
                    }
                    JoinType::LeftMark => Some(i64::from(chunk.batch.column(2).as_boolean().value(row))),
                    _ => None,
                };
                rows.push((left.value(row), other));
            }
        }
        rows
    }
}

fn fill(
    case: Case,
    cache: &Arc<Cache>,
    budget: &Arc<Budget>,
    rows: &[Row],
    batch_bytes: usize,
) -> Result<usize, Fault> {
    let mut filling = cache.filling_batches(budget, batch_bytes);
    for rows in rows.chunks(7) {
        let mut out = Output::default();
        filling.push(case.chunk(rows), &mut out)?;
        assert!(out.bad.is_empty());
    }
    filling.finish()
}

/// What a chunk comes to, each time that the operator was asked to go on.
fn turns(cache: &Arc<Cache>, chunk: Chunk) -> Vec<Vec<Chunk>> {
    let (mut operator, mut turns) = (CachedJoin::new(Arc::clone(cache)), Vec::new());
    let mut out = Output::default();
    operator.push(0, chunk, &mut out).unwrap();
    loop {
        assert!(out.bad.is_empty());
        turns.push(std::mem::take(&mut out.chunks));
        if !operator.has_more() {
            return turns;
        }
        operator.go_on(&mut out).unwrap();
    }
}

fn ask(cache: &Arc<Cache>, chunk: Chunk) -> Vec<Chunk> {
    turns(cache, chunk).concat()
}

fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((prop::option::weighted(0.8, 0..6_i64), 0..10_i64), 0..most)
}

fn case() -> impl Strategy<Value = Case> {
    (0..KINDS.len(), any::<[bool; 3]>()).prop_map(|(kind, [has_filter, nulls_equal, is_text])| Case {
        kind: KINDS[kind],
        has_filter,
        nulls_equal,
        is_text,
    })
}

proptest! {
    #[test]
    fn a_row_meets_what_a_join_says_in_the_order_of_both_sides(
        (case, left, right) in (case(), rows(40), rows(40)), batch_bytes in prop_oneof![Just(1), Just(200), Just(BYTES)],
    ) {
        let budget = Budget::new(BYTES);
        let cache = case.cache(&budget);
        fill(case, &cache, &budget, &right, batch_bytes).unwrap();
        let chunks = ask(&cache, case.chunk(&left));
        prop_assert_eq!(case.found(&chunks), case.expected(&left, &right));
        let counts = cache.counters().read();
        let is_hit = |row: &&Row| right.iter().any(|other| other.0 == row.0 && (case.nulls_equal || row.0.is_some()));
        prop_assert_eq!(counts.hits as usize, left.iter().filter(is_hit).count());
        prop_assert_eq!((counts.hits + counts.misses) as usize, left.len());
    }
}

const PLAIN: Case = Case { kind: JoinType::Inner, has_filter: false, nulls_equal: false, is_text: false };

#[test]
fn many_rows_of_one_key_are_given_in_chunks_of_a_size() {
    for kind in [JoinType::Inner, JoinType::Left] {
        let case = Case { kind, has_filter: true, ..PLAIN };
        let budget = Budget::new(BYTES);
        let cache = case.cache(&budget);
        let right: Vec<Row> = (0..5_000).map(|value| (Some(value % 2), value)).collect();
        let left: Vec<Row> = (0..30).map(|value| (Some(value % 3), 100 * value)).collect();
        fill(case, &cache, &budget, &right, 10_000).unwrap();
        let chunks = ask(&cache, case.chunk(&left));
        assert!(chunks.len() > 1 && chunks.iter().all(|chunk| chunk.rows() <= PAIRS_MAX));
        assert_eq!(case.found(&chunks), case.expected(&left, &right));
    }
}

#[test]
fn rows_that_meet_thousands_come_a_few_chunks_at_a_time_from_the_table_as_it_was() {
    /// Chunks that make an output full, and those of the row at which it is found to be.
    const AT_ONCE_MAX: usize = 8;
    for kind in [JoinType::Inner, JoinType::Left] {
        let case = Case { kind, ..PLAIN };
        let budget = Budget::new(BYTES);
        let cache = case.cache(&budget);
        let right: Vec<Row> = (0..3_000).map(|value| (Some(1), value)).collect();
        let left: Vec<Row> = (0..200).map(|value| (Some(value % 2), value)).collect();
        fill(case, &cache, &budget, &right, BYTES).unwrap();
        let turns = turns(&cache, case.chunk(&left));
        assert!(turns.len() > 1 && turns.iter().all(|chunks| chunks.len() <= AT_ONCE_MAX), "{kind}");
        assert_eq!(case.found(&turns.concat()), case.expected(&left, &right), "{kind}");
        let counts = cache.counters().read();
        assert_eq!((counts.hits, counts.misses), (100, 100), "{kind}");
    }
}

#[test]
fn rows_that_do_not_fit_leave_what_was_there_and_take_nothing_from_others() {
    let budget = Budget::new(100_000);
    let cache = PLAIN.cache(&budget);
    fill(PLAIN, &cache, &budget, &[(Some(1), 10)], BYTES).unwrap();
    let held = cache.rows().share.bytes();
    let many: Vec<Row> = (0..10_000).map(|value| (Some(value), value)).collect();
    let fault = fill(PLAIN, &cache, &budget, &many, BYTES).unwrap_err();
    assert!(fault.what.starts_with("the lookup table `t` does not fit: "), "{fault}");
    assert_eq!(PLAIN.found(&ask(&cache, PLAIN.chunk(&[(Some(1), 7), (Some(2), 8)]))), [(7, Some(10))]);
    let mut rest = budget.share();
    rest.hold(100_000 - held).expect("what did not fit holds nothing");
    assert!(rest.hold(100_001 - held).is_err());
}

#[test]
fn rows_that_are_exchanged_give_their_memory_back_with_the_last_who_looks_at_them() {
    let budget = Budget::new(BYTES);
    let cache = PLAIN.cache(&budget);
    fill(PLAIN, &cache, &budget, &[(Some(1), 10); 1_000], BYTES).unwrap();
    let before = cache.rows();
    fill(PLAIN, &cache, &budget, &[(Some(1), 11)], BYTES).unwrap();
    let now = cache.rows().share.bytes();
    let mut rest = budget.share();
    assert!(rest.hold(BYTES - now).is_err(), "both are held");
    drop(before);
    rest.hold(BYTES - now).expect("only the new rows are held");
    assert_eq!(PLAIN.found(&ask(&cache, PLAIN.chunk(&[(Some(1), 7)]))), [(7, Some(11))]);
    assert_eq!(cache.counters().read().rows, 1);
}

#[test]
fn of_a_key_the_newest_row_stays_and_what_is_deleted_goes() {
    let mut newest = Newest::new(&PLAIN.schema(), vec![0]).unwrap();
    let (come, go) = (Op::Insert as i8, Op::Delete as i8);
    newest.push(PLAIN.chunk(&[(Some(1), 10), (Some(2), 20), (Some(1), 11), (None, 5)])).unwrap();
    let changes = Chunk {
        ops: Some(Int8Array::from(vec![go, come, come, go])),
        ..PLAIN.chunk(&[(Some(2), 0), (Some(3), 30), (Some(1), 12), (Some(9), 0)])
    };
    newest.push(changes).unwrap();
    let rows: Vec<i64> = newest
        .finish()
        .flat_map(|chunk| chunk.unwrap().batch.column(1).as_primitive::<Int64Type>().values().to_vec())
        .collect();
    assert_eq!(rows, [5, 30, 12]);
}
