//! Streams that look into tables: as of arrival, and as of their own time.

use std::collections::HashMap;

use datafusion_common::ScalarValue;
use datafusion_physical_expr::expressions::lit;
use proptest::prelude::*;

use super::*;
use crate::sql::plan::stream::AsOf;

/// Kinds that follow the left.
const FOLLOWING: [JoinType; 5] =
    [JoinType::Inner, JoinType::Left, JoinType::LeftSemi, JoinType::LeftAnti, JoinType::LeftMark];

/// Side, key, value, time, whether it deletes, whether the chunk ends behind it.
type Arrival = (usize, Option<i64>, i64, i64, bool, bool);

fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let key = prop_oneof![1 => Just(None), 6 => (0..4i64).prop_map(Some)];
    prop::collection::vec((0..2usize, key, 0..6i64, 0..300i64, prop::bool::weighted(0.2), any::<bool>()), 0..60)
}

fn chunks(arrivals: &[Arrival]) -> Vec<(usize, Vec<(Row, Op)>)> {
    let mut chunks: Vec<(usize, Vec<(Row, Op)>)> = Vec::new();
    let mut is_open = false;
    for (number, (port, key, value, time, deletes, ends)) in arrivals.iter().enumerate() {
        let row = Row { key: *key, value: *value, id: number as i64, time: *time };
        let op = if *deletes && *port == 1 { Op::Delete } else { Op::Insert };
        match chunks.last_mut() {
            Some((last, rows)) if is_open && last == port => rows.push((row, op)),
            _ => chunks.push((*port, vec![(row, op)])),
        }
        is_open = !ends;
    }
    chunks
}

proptest! {
    #![proptest_config(super::properties())]

    #[test]
    fn a_row_meets_the_newest_row_of_its_key_as_of_its_arrival(
        arrivals in arrivals(),
        has_filter: bool,
        is_text: bool,
        restart in 0..60usize,
    ) {
        let asking = ASKING.map(|kind| (kind, true));
        for (kind, null_aware) in FOLLOWING.map(|kind| (kind, false)).into_iter().chain(asking) {
            let changes = [Changes::Append, Changes::Changelog];
            let identity = [Vec::new(), vec![0]];
            let case = Case::new(kind, JoinBound::StreamTable);
            let case = Case { has_filter, is_text, null_aware, changes, identity, ..case };
            let mut operator = case.operator(None);
            let mut out = Output::default();
            let mut table: HashMap<Option<i64>, Row> = HashMap::new();
            for (number, (port, rows)) in chunks(&arrivals).into_iter().enumerate() {
                if number == restart {
                    operator = restarted(&case, operator);
                }
                operator.push(port, case.chunk(&rows), &mut out).unwrap();
                let mut given = Vec::new();
                for chunk in out.chunks.drain(..) {
                    given.extend(cells(&chunk));
                }
                if port == 0 {
                    let left: Vec<Row> = rows.iter().map(|(row, _)| *row).collect();
                    let right: Vec<Row> = table.values().copied().collect();
                    prop_assert_eq!(sorted(given), case.oracle(&left, &right, |_, _| true));
                } else {
                    prop_assert!(given.is_empty());
                    for (row, op) in rows {
                        if op == Op::Delete { table.remove(&row.key); } else { table.insert(row.key, row); }
                    }
                }
            }
            prop_assert_eq!(operator.state_rows(), table.len());
        }
    }

    #[test]
    fn a_row_meets_the_version_as_of_its_time_whatever_the_order_of_arrival(
        arrivals in arrivals(),
        has_filter: bool,
        is_text: bool,
        is_behind: bool,
        restart in 0..60usize,
        watermarks in prop::collection::vec(any::<bool>(), 60),
    ) {
        // Versions of one key and one time: the order of arrival decides, so each has a time of its own here.
        let arrivals: Vec<Arrival> = arrivals
            .into_iter()
            .enumerate()
            .map(|(number, one)| (one.0, one.1, one.2, one.3 * 64 + number as i64, one.4, one.5))
            .collect();
        let chunks = chunks(&arrivals);
        for kind in FOLLOWING {
            let bound = JoinBound::Temporal { as_of: is_behind.then(behind) };
            let changes = [Changes::Append, Changes::Changelog];
            let case = Case { has_filter, is_text, changes, ..Case::new(kind, bound) };
            let mut operator = case.operator(None);
            let mut out = Output::default();
            for (number, (port, rows)) in chunks.iter().enumerate() {
                if number == restart {
                    operator = restarted(&case, operator);
                }
                operator.push(*port, case.chunk(rows), &mut out).unwrap();
                let coming = chunks[number + 1..].iter().flat_map(|(_, rows)| rows).map(|(row, _)| row.time).min();
                if let (true, Some(coming)) = (watermarks[number], coming) {
                    operator.watermark(coming, &mut out).unwrap();
                }
            }
            operator.watermark(i64::MAX, &mut out).unwrap();
            prop_assert_eq!(out.late_rows, 0);
            let given: Vec<Cells> = out.chunks.iter().flat_map(cells).collect();
            let of = |side: usize| chunks.iter().filter(move |(port, _)| *port == side).flat_map(|(_, rows)| rows);
            let left: Vec<Row> = of(0).map(|(row, _)| *row).collect();
            let right: Vec<Row> = of(1).filter(|(_, op)| op.is_addition()).map(|(row, _)| *row).collect();
            let is_current = |l: &Row, r: &Row| {
                let asked = if is_behind { l.end() - 200 } else { l.time };
                let versions = of(1).filter(|(row, _)| row.key == l.key && row.time <= asked);
                versions.max_by_key(|(row, _)| row.time).is_some_and(|(row, op)| row == r && op.is_addition())
            };
            prop_assert_eq!(sorted(given), case.oracle(&left, &right, is_current));
            prop_assert!(operator.state_rows() <= 4);
        }
    }
}

/// A time that a row carries: 200 ms before the end of its window, so 101 to 200 ms before its own.
fn behind() -> AsOf {
    let column: Expression = Arc::new(Column::new("end", 3));
    let less = lit(ScalarValue::new_interval_mdn(0, 0, 200_000_000));
    let schema = Case::new(JoinType::Inner, JoinBound::StreamTable).schema();
    AsOf { time: binary(column, Compared::Minus, less, &schema).unwrap(), behind_ms: 200 }
}

fn row(key: Option<i64>, value: i64, time: i64) -> Row {
    Row { key, value, id: 0, time }
}

#[test]
fn a_stream_without_a_key_is_a_table_by_the_key_that_it_is_looked_up_by() {
    let case = Case::new(JoinType::Inner, JoinBound::StreamTable);
    let mut operator = case.operator(None);
    let mut out = Output::default();
    let table = [row(Some(1), 10, 0), row(Some(1), 11, 0), row(None, 12, 0)].map(|row| (row, Op::Insert));
    operator.push(1, case.chunk(&table), &mut out).unwrap();
    assert_eq!(operator.state_rows(), 1);
    operator.push(0, case.chunk(&[(row(Some(1), 0, 0), Op::Insert)]), &mut out).unwrap();
    assert_eq!(cells(&out.chunks[0])[0][5], Some(11));
    assert_eq!(operator.preferred_port(), Some(1));
}

#[test]
fn whether_a_stream_has_had_a_fitting_row_does_not_depend_on_its_newest() {
    let case = Case { has_filter: true, ..Case::new(JoinType::LeftSemi, JoinBound::StreamTable) };
    let mut operator = case.operator(None);
    let mut out = Output::default();
    let seen = [row(Some(1), 10, 0), row(Some(1), 1, 0), row(Some(1), 1, 0)].map(|row| (row, Op::Insert));
    operator.push(1, case.chunk(&seen), &mut out).unwrap();
    assert_eq!(operator.state_rows(), 2);
    operator.push(0, case.chunk(&[(row(Some(1), 5, 0), Op::Insert)]), &mut out).unwrap();
    assert_eq!(out.chunks[0].rows(), 1);
}

#[test]
fn a_row_waits_until_no_earlier_version_can_come() {
    let case = Case::new(JoinType::Left, JoinBound::Temporal { as_of: None });
    let mut operator = case.operator(None);
    let mut out = Output::default();
    operator.push(0, case.chunk(&[(row(Some(1), 0, 50), Op::Insert)]), &mut out).unwrap();
    operator.watermark(50, &mut out).unwrap();
    assert!(out.chunks.is_empty());
    operator.push(1, case.chunk(&[(row(Some(1), 7, 50), Op::Insert)]), &mut out).unwrap();
    operator.watermark(51, &mut out).unwrap();
    assert_eq!(cells(&out.chunks[0])[0][5], Some(7));
    operator.push(0, case.chunk(&[(row(Some(1), 0, 50), Op::Insert)]), &mut out).unwrap();
    assert_eq!(out.late_rows, 1);
}

#[test]
fn a_late_row_asks_as_of_now_where_it_is_kept() {
    let asked = |late: LateStrategy| {
        let case = Case { late, ..Case::new(JoinType::Left, JoinBound::Temporal { as_of: None }) };
        let mut operator = case.operator(None);
        let mut out = Output::default();
        operator.push(1, case.chunk(&[(row(Some(1), 7, 80), Op::Insert)]), &mut out).unwrap();
        operator.watermark(100, &mut out).unwrap();
        operator.push(0, case.chunk(&[(row(Some(1), 0, 50), Op::Insert)]), &mut out).unwrap();
        operator.watermark(101, &mut out).unwrap();
        let given: Vec<_> = out.chunks.iter().flat_map(cells).map(|cells| cells[5]).collect();
        (given, out.late_rows, out.bad.len())
    };
    assert_eq!(asked(LateStrategy::Drop), (vec![], 1, 0));
    assert_eq!(asked(LateStrategy::DeadLetter), (vec![], 1, 1));
    assert_eq!(asked(LateStrategy::IncludeInNextWindow), (vec![Some(7)], 1, 0));
}

#[test]
fn what_a_bound_cannot_do_is_refused_with_a_way_out() {
    let refused = |case: Case| {
        let schema = case.schema();
        let column: Expression = Arc::new(Column::new("key", 0));
        let node = JoinNode {
            undated: [false; 2],
            join_type: case.kind,
            on: vec![(Arc::clone(&column), column)],
            filter: None,
            nulls_equal: false,
            null_aware: case.null_aware,
            bound: case.bound.clone(),
        };
        let input =
            |side: usize| JoinInput { schema: Arc::clone(&schema), changes: case.changes[side], key: Vec::new() };
        let fault = build(&node, input(0), input(1), &case.output(), None, LateStrategy::Drop).err().unwrap();
        assert!(!fault.next.is_empty());
        fault.what
    };
    let interval = JoinBound::Interval { before_ms: 0, after_ms: 0, left_time: None, right_time: None };
    let changelog = [Changes::Changelog; 2];
    let of = |kind, bound: &JoinBound| Case::new(kind, bound.clone());
    assert!(refused(Case { changes: changelog, ..of(JoinType::Inner, &interval) }).contains("change"));
    assert!(refused(of(JoinType::Full, &JoinBound::StreamTable)).contains("table"));
    assert!(refused(Case { changes: changelog, ..of(JoinType::Inner, &JoinBound::StreamTable) }).contains("changes"));
    assert!(refused(Case { null_aware: true, ..of(JoinType::Inner, &interval) }).contains("IN compares"));
}
