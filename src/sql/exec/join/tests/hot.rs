//! A key that thousands of rows share: what a chunk comes to is handed out a few chunks at a time, and is all there.

use super::*;

/// Chunks that may be there when the output is found to be full: the last row's are all given, and what is in hand at
/// the end. All that is given here would be several times as many.
const AT_ONCE_MAX: usize = 8;

/// Pushes rows and goes on until they are through. Answers with how often it was asked to go on.
fn push(operator: &mut dyn Operator, port: usize, chunk: Chunk, folded: &mut Folded) -> usize {
    let (mut out, mut times) = (Output::default(), 0);
    operator.push(port, chunk, &mut out).unwrap();
    loop {
        assert!(out.chunks.len() <= AT_ONCE_MAX, "{} chunks at once", out.chunks.len());
        folded.take(&mut out);
        if !operator.has_more() {
            return times;
        }
        operator.go_on(&mut out).unwrap();
        times += 1;
    }
}

/// `count` rows of one key; every eighth has none, so that some have no partner.
fn rows(count: i64) -> Vec<Row> {
    (0..count).map(|id| Row { key: (id % 8 > 0).then_some(1), value: id % 5, id, time: 7 }).collect()
}

fn with(op: Op, rows: &[Row]) -> Vec<(Row, Op)> {
    rows.iter().map(|row| (*row, op)).collect()
}

#[test]
fn rows_of_streams_that_meet_thousands_come_a_few_chunks_at_a_time() {
    for kind in [JoinType::Inner, JoinType::Full, JoinType::LeftSemi] {
        let bound = JoinBound::Interval { before_ms: 10, after_ms: 10, left_time: None, right_time: None };
        let case = Case { has_filter: true, ..Case::new(kind, bound) };
        let (left, right) = (rows(100), rows(1_000));
        let (mut operator, mut folded) = (case.operator(None), Folded::default());
        assert_eq!(push(operator.as_mut(), 0, case.chunk(&with(Op::Insert, &left)), &mut folded), 0);
        let times = push(operator.as_mut(), 1, case.chunk(&with(Op::Insert, &right)), &mut folded);
        assert!(times > 0 || kind == JoinType::LeftSemi, "{kind} gave all at once");
        let mut operator = restarted(&case, operator);
        let mut out = Output::default();
        operator.watermark(i64::MAX, &mut out).unwrap();
        folded.take(&mut out);
        assert_eq!(folded.rows(), case.oracle(&left, &right, |_, _| true), "{kind}");
    }
}

#[test]
fn changes_of_tables_that_meet_thousands_come_a_few_chunks_at_a_time() {
    for kind in [JoinType::Inner, JoinType::Full, JoinType::LeftMark] {
        let mut case = Case { has_filter: true, ..Case::new(kind, JoinBound::Updating) };
        case.changes = [Changes::Changelog; 2];
        case.identity = [vec![2], vec![2]];
        let (left, right) = (rows(100), rows(1_000));
        let (mut operator, mut folded) = (case.operator(None), Folded::default());
        push(operator.as_mut(), 0, case.chunk(&with(Op::Insert, &left)), &mut folded);
        let times = push(operator.as_mut(), 1, case.chunk(&with(Op::Insert, &right)), &mut folded);
        assert!(times > 0 || kind == JoinType::LeftMark, "{kind} gave all at once");
        assert_eq!(folded.rows(), case.oracle(&left, &right, |_, _| true), "{kind}");
        let mut operator = restarted(&case, operator);
        push(operator.as_mut(), 1, case.chunk(&with(Op::Delete, &right[..900])), &mut folded);
        assert_eq!(folded.rows(), case.oracle(&left, &right[900..], |_, _| true), "{kind}");
    }
}

#[test]
fn rows_that_meet_thousands_of_a_table_come_a_few_chunks_at_a_time() {
    for kind in [JoinType::Inner, JoinType::Left] {
        let mut case = Case { has_filter: true, ..Case::new(kind, JoinBound::StreamTable) };
        case.changes = [Changes::Append, Changes::Changelog];
        case.identity = [Vec::new(), vec![2]];
        let (left, right) = (rows(100), rows(1_000));
        let (mut operator, mut folded) = (case.operator(None), Folded::default());
        assert_eq!(push(operator.as_mut(), 1, case.chunk(&with(Op::Insert, &right)), &mut folded), 0);
        let mut operator = restarted(&case, operator);
        let times = push(operator.as_mut(), 0, case.chunk(&with(Op::Insert, &left)), &mut folded);
        assert!(times > 0, "{kind} gave all at once");
        assert_eq!(folded.rows(), case.oracle(&left, &right, |_, _| true), "{kind}");
    }
}
