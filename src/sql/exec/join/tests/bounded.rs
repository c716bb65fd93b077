//! Interval and window joins.

use proptest::prelude::*;

use super::*;
use crate::connectors::contract::RawRecord;
use crate::sql::exec::chunk::Origins;

#[derive(Debug, Clone)]
enum Step {
    Push(usize, Vec<Row>),
    Watermark(i64),
}

/// A row, by how much it is out of order, and what happens behind it: 0 a new chunk, 1 a watermark.
type Arrival = (usize, Option<i64>, i64, i64, i64, u8);

fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let key = prop_oneof![1 => Just(None), 6 => (0..4i64).prop_map(Some)];
    prop::collection::vec((0..2usize, key, 0..6i64, 0..400i64, 0..60i64, 0..5u8), 0..60)
}

/// Rows in the order of their arrival; a watermark never overtakes a row.
fn steps(mut arrivals: Vec<Arrival>) -> Vec<Step> {
    arrivals.sort_by_key(|(_, _, _, time, late, _)| time + late);
    let mut steps: Vec<Step> = Vec::new();
    let mut is_open = false;
    for (number, (port, key, value, time, _, then)) in arrivals.iter().enumerate() {
        let row = Row { key: *key, value: *value, id: number as i64, time: *time };
        match steps.last_mut() {
            Some(Step::Push(last, rows)) if is_open && last == port => rows.push(row),
            _ => steps.push(Step::Push(*port, vec![row])),
        }
        is_open = *then != 0;
        let coming = arrivals[number + 1..].iter().map(|(_, _, _, time, _, _)| *time).min();
        if let (1, Some(coming)) = (*then, coming) {
            steps.push(Step::Watermark(coming));
        }
    }
    steps
}

fn of(steps: &[Step], side: usize) -> Vec<Row> {
    let rows = |step: &Step| match step {
        Step::Push(port, rows) if *port == side => rows.clone(),
        _ => Vec::new(),
    };
    steps.iter().flat_map(rows).collect()
}

fn within(bound: &JoinBound, left: &Row, right: &Row) -> bool {
    match bound {
        JoinBound::Interval { before_ms, after_ms, .. } => {
            (left.time - before_ms..=left.time + after_ms).contains(&right.time)
        }
        _ => left.end() == right.end(),
    }
}

/// Runs to the end of time, with a restart before step `restart`; nothing may be given that is late downstream.
fn run(case: &Case, steps: &[Step], restart: usize) -> Vec<Cells> {
    let mut operator = case.operator(None);
    let mut out = Output::default();
    let mut given = Vec::new();
    let mut promised = i64::MIN;
    let end = [Step::Watermark(i64::MAX)];
    for (number, step) in steps.iter().chain(&end).enumerate() {
        if number == restart {
            operator = restarted(case, operator);
        }
        let mut promise = promised;
        match step {
            Step::Push(port, rows) => {
                let rows: Vec<(Row, Op)> = rows.iter().map(|row| (*row, Op::Insert)).collect();
                operator.push(*port, case.chunk(&rows), &mut out).unwrap();
            }
            Step::Watermark(watermark) => promise = operator.watermark(*watermark, &mut out).unwrap(),
        }
        for chunk in out.chunks.drain(..) {
            assert!(chunk.ops.is_none());
            assert!(chunk.times.iter().all(|time| *time >= promised), "{:?} before {promised}", chunk.times);
            given.extend(cells(&chunk));
        }
        assert!(promise >= promised);
        promised = promise;
    }
    assert_eq!((out.late_rows, out.bad.len()), (0, 0));
    assert_eq!(operator.state_rows(), 0);
    sorted(given)
}

fn interval(before_ms: i64, after_ms: i64) -> JoinBound {
    JoinBound::Interval { before_ms, after_ms, left_time: None, right_time: None }
}

const WINDOW: JoinBound = JoinBound::Window { left_end: 3, right_end: 3 };

fn check(case: &Case, steps: &[Step], restart: usize) {
    let expected = case.oracle(&of(steps, 0), &of(steps, 1), |left, right| within(&case.bound, left, right));
    assert_eq!(run(case, steps, restart), expected, "{case:?}");
}

proptest! {
    #![proptest_config(super::properties())]

    #[test]
    fn any_interleaving_gives_the_join_of_all_rows(
        arrivals in arrivals(),
        (before, after) in (-80..120i64, -80..120i64),
        has_filter: bool,
        is_text: bool,
        nulls_equal: bool,
        restart in 0..80usize,
    ) {
        let steps = steps(arrivals);
        let (before, after) = if before + after < 0 { (-after, -before) } else { (before, after) };
        for bound in [interval(before, after), WINDOW] {
            for kind in KINDS {
                let case = Case { has_filter, is_text, nulls_equal, ..Case::new(kind, bound.clone()) };
                check(&case, &steps, restart);
            }
            for kind in ASKING {
                let case = Case { null_aware: true, has_filter, is_text, ..Case::new(kind, bound.clone()) };
                check(&case, &steps, restart);
            }
        }
    }
}

fn row(key: i64, time: i64) -> Row {
    Row { key: Some(key), value: 0, id: time, time }
}

#[test]
fn a_row_without_partner_is_given_when_it_expires_and_never_before() {
    let case = Case::new(JoinType::Left, interval(0, 50));
    let mut operator = case.operator(None);
    let mut out = Output::default();
    operator.push(0, case.chunk(&[(row(1, 100), Op::Insert)]), &mut out).unwrap();
    assert_eq!(operator.watermark(150, &mut out).unwrap(), 100);
    assert!(out.chunks.is_empty());
    assert_eq!(operator.watermark(151, &mut out).unwrap(), 101);
    assert_eq!(cells(&out.chunks[0]), [[Some(1), Some(0), Some(100), Some(200), None, None, None, None]]);
    assert_eq!(out.chunks[0].times.to_vec(), [100]);
}

#[test]
fn a_row_that_comes_after_its_time_is_counted_and_left_out() {
    let case = Case::new(JoinType::Full, interval(10, 50));
    let mut operator = case.operator(None);
    let mut out = Output::default();
    operator.watermark(151, &mut out).unwrap();
    operator.push(0, case.chunk(&[(row(1, 100), Op::Insert), (row(1, 101), Op::Insert)]), &mut out).unwrap();
    assert_eq!(out.late_rows, 1);
    assert_eq!(operator.state_rows(), 1);
    let mut operator = restarted(&case, operator);
    operator.push(0, case.chunk(&[(row(1, 100), Op::Insert)]), &mut out).unwrap();
    assert_eq!(out.late_rows, 2);
}

/// A left row of time 100 is kept until 150; at 155 one of time 90 comes to the right, and one of time 60 to the left.
fn with_late_rows(late: LateStrategy) -> (Vec<Cells>, u64, Vec<&'static str>) {
    let case = Case { late, ..Case::new(JoinType::Left, interval(50, 50)) };
    let mut operator = case.operator(None);
    let mut out = Output::default();
    operator.push(0, case.chunk(&[(row(1, 100), Op::Insert)]), &mut out).unwrap();
    let promised = operator.watermark(145, &mut out).unwrap();
    operator.push(1, case.chunk(&[(row(1, 90), Op::Insert)]), &mut out).unwrap();
    operator.push(0, case.chunk(&[(row(2, 60), Op::Insert)]), &mut out).unwrap();
    assert!(out.chunks.iter().flat_map(|chunk| chunk.times.iter()).all(|time| promised <= *time));
    operator.watermark(i64::MAX, &mut out).unwrap();
    (out.chunks.iter().flat_map(cells).collect(), out.late_rows, out.bad.iter().map(|bad| bad.class).collect())
}

#[test]
fn a_late_row_is_treated_as_its_strategy_says() {
    let left = |key, time| [Some(key), Some(0), Some(time), Some((time / 100 + 1) * 100)].to_vec();
    let alone = |key, time| [left(key, time), vec![None; 4]].concat();
    let pair = [left(1, 100), left(1, 90)].concat();
    assert_eq!(with_late_rows(LateStrategy::Drop), (vec![alone(1, 100)], 2, vec![]));
    assert_eq!(with_late_rows(LateStrategy::DeadLetter), (vec![alone(1, 100)], 2, vec!["late"; 2]));
    for keeps in [LateStrategy::IncludeInNextWindow, LateStrategy::UpdatePrevious] {
        assert_eq!(with_late_rows(keeps), (vec![pair.clone(), alone(2, 60)], 2, vec![]));
    }
}

#[test]
fn a_hot_key_comes_out_in_chunks_of_bounded_size_and_its_state_goes_with_the_watermark() {
    let case = Case::new(JoinType::Inner, interval(1_000, 1_000));
    let mut operator = case.operator(None);
    let mut out = Output::default();
    let rows: Vec<(Row, Op)> = (0..300).map(|time| (row(7, time), Op::Insert)).collect();
    operator.push(0, case.chunk(&rows), &mut out).unwrap();
    let empty = case.operator(None).state_bytes();
    assert!(operator.state_bytes() > empty + 300 * 8 * 4);
    operator.push(1, case.chunk(&rows), &mut out).unwrap();
    while operator.has_more() {
        let mut more = Output::default();
        operator.go_on(&mut more).unwrap();
        out.chunks.append(&mut more.chunks);
    }
    assert_eq!(out.chunks.iter().map(Chunk::rows).sum::<usize>(), 300 * 300);
    assert!(out.chunks.iter().all(|chunk| chunk.rows() <= crate::connectors::contract::BATCH_ROWS_MAX));
    operator.watermark(2_000, &mut out).unwrap();
    assert_eq!(operator.state_rows(), 0);
}

#[test]
fn one_row_at_a_time_makes_no_batch_of_one_row_each() {
    let case = Case::new(JoinType::Inner, interval(5_000, 5_000));
    let mut operator = case.operator(None);
    let mut out = Output::default();
    for time in 0..5_000 {
        operator.push(0, case.chunk(&[(row(time, time), Op::Insert)]), &mut out).unwrap();
    }
    // Four columns of eight bytes, a slot, a link and a group: what one batch of all rows would need.
    assert!(operator.state_bytes() < 5_000 * 256, "{}", operator.state_bytes());
    let rows: Vec<(Row, Op)> = (0..5_000).map(|key| (Row { time: 4_000, ..row(key, 0) }, Op::Insert)).collect();
    operator.push(1, case.chunk(&rows), &mut out).unwrap();
    assert_eq!(out.chunks.iter().map(Chunk::rows).sum::<usize>(), 5_000);
}

#[test]
fn a_pair_for_which_the_filter_fails_is_none_and_the_record_behind_it_is_bad() {
    let case = Case::new(JoinType::Left, interval(100, 100));
    let schema = case.schema();
    let both = Schema::new([schema.fields().to_vec(), schema.fields().to_vec()].concat());
    let column = |name: &str, index: usize| -> Expression { Arc::new(Column::new(name, index)) };
    let quotient = binary(column("value", 1), Compared::Divide, column("value", 5), &both).unwrap();
    let filter = binary(quotient, Compared::Gt, column("value", 5), &both).unwrap();
    let node = JoinNode {
        undated: [false; 2],
        join_type: case.kind,
        on: vec![(column("key", 0), column("key", 0))],
        filter: Some(filter),
        nulls_equal: false,
        null_aware: false,
        bound: case.bound.clone(),
    };
    let input = || JoinInput { schema: case.schema(), changes: Changes::Append, key: Vec::new() };
    let mut operator = build(&node, input(), input(), &case.output(), None, LateStrategy::Drop).unwrap();
    let mut out = Output::default();
    let right = [Row { value: 0, ..row(1, 10) }, Row { value: 2, ..row(1, 20) }].map(|row| (row, Op::Insert));
    operator.push(1, case.chunk(&right), &mut out).unwrap();
    let mut chunk = case.chunk(&[(Row { value: 8, ..row(1, 30) }, Op::Insert)]);
    let record = RawRecord { offset: 77, ..RawRecord::default() };
    chunk.origins = Some(Origins { records: Arc::new(vec![record]), rows: vec![0].into() });
    operator.push(0, chunk, &mut out).unwrap();
    assert_eq!(out.chunks.iter().flat_map(cells).collect::<Vec<_>>().len(), 1);
    assert_eq!((out.bad.len(), out.bad[0].record.offset, out.bad[0].class), (1, 77, "division"));
}

#[test]
fn keys_of_two_types_are_compared_as_the_wider_one() {
    let case = Case::new(JoinType::Inner, interval(100, 100));
    let narrow = Arc::new(Schema::new(vec![Field::new("key", DataType::Int32, true)]));
    let output = Schema::new([case.schema().fields().to_vec(), narrow.fields().to_vec()].concat());
    let column: Expression = Arc::new(Column::new("key", 0));
    let node = JoinNode {
        undated: [false; 2],
        join_type: JoinType::Inner,
        on: vec![(Arc::clone(&column), column)],
        filter: None,
        nulls_equal: false,
        null_aware: false,
        bound: case.bound.clone(),
    };
    let input =
        |schema: &SchemaRef| JoinInput { schema: Arc::clone(schema), changes: Changes::Append, key: Vec::new() };
    let mut operator =
        build(&node, input(&case.schema()), input(&narrow), &Arc::new(output), None, LateStrategy::Drop).unwrap();
    let mut out = Output::default();
    operator.push(0, case.chunk(&[(row(1 << 32 | 5, 0), Op::Insert), (row(5, 0), Op::Insert)]), &mut out).unwrap();
    let keys: ArrayRef = Arc::new(arrow::array::Int32Array::from(vec![5]));
    let batch = RecordBatch::try_new(narrow, vec![keys]).unwrap();
    operator.push(1, Chunk::inserts(batch, vec![0].into()), &mut out).unwrap();
    let given: Vec<Cells> = out.chunks.iter().flat_map(cells).collect();
    assert_eq!(given.iter().map(|cells| cells[0]).collect::<Vec<_>>(), [Some(5)]);
}

#[test]
fn times_that_are_not_the_event_times_decide_who_meets_and_event_times_who_waits() {
    let time: Expression = Arc::new(Column::new("id", 2));
    let times = (Some(Arc::clone(&time)), Some(time));
    let bound = JoinBound::Interval { before_ms: 0, after_ms: 10, left_time: times.0, right_time: times.1 };
    let case = Case::new(JoinType::Left, bound);
    let mut operator = case.operator(None);
    let mut out = Output::default();
    operator.watermark(900, &mut out).unwrap();
    operator.push(0, case.chunk(&[(Row { id: 5, ..row(1, 1_000) }, Op::Insert)]), &mut out).unwrap();
    let right = [Row { id: 4, ..row(1, 1_001) }, Row { id: 15, ..row(1, 1_001) }].map(|row| (row, Op::Insert));
    let mut operator = restarted(&case, operator);
    operator.push(1, case.chunk(&right), &mut out).unwrap();
    let given: Vec<Cells> = out.chunks.iter().flat_map(cells).collect();
    assert_eq!(given.iter().map(|cells| cells[6]).collect::<Vec<_>>(), [Some(15)]);
    assert_eq!((out.late_rows, operator.state_rows()), (0, 3));
}
