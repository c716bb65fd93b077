//! Joins of tables.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// Side, what is done (0 to 3 insert, 4 delete, 5 to 7 replace), which row, and the values of the new one.
type Change = (usize, u8, usize, Option<i64>, i64, bool);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let key = prop_oneof![1 => Just(None), 5 => (0..3i64).prop_map(Some)];
    prop::collection::vec((0..2usize, 0..8u8, 0..100usize, key, 0..4i64, any::<bool>()), 0..60)
}

/// Applies a change to the table, and gives the rows of its changelog. Without a key of its own a table may hold equal
/// rows, and a replacement may change the key of the join.
fn apply(table: &mut Vec<Row>, change: &Change, has_key: bool, next_id: &mut i64) -> Vec<(Row, Op)> {
    let (_, what, which, key, value, _) = *change;
    if what < 4 || table.is_empty() {
        *next_id += 1;
        let id = if has_key { *next_id } else { 0 };
        let row = Row { key, value, id, time: 0 };
        table.push(row);
        return vec![(row, Op::Insert)];
    }
    let place = which % table.len();
    let old = table[place];
    // What a deletion says beside the key is not its business.
    let shown = if has_key { Row { value: 99, ..old } } else { old };
    if what == 4 {
        table.remove(place);
        return vec![(shown, Op::Delete)];
    }
    let new = Row { key: if what == 5 { key } else { old.key }, value, ..old };
    table[place] = new;
    vec![(shown, Op::UpdateBefore), (new, Op::UpdateAfter)]
}

/// Runs the changes in chunks; after each chunk the folded output is the join of the tables as they are.
fn check(case: &Case, changes: &[Change], restart: usize) {
    let mut operator = case.operator(None);
    let mut out = Output::default();
    let mut folded = Folded::default();
    let mut tables = [Vec::new(), Vec::new()];
    let mut next_id = 0;
    let mut waiting: Vec<(Row, Op)> = Vec::new();
    for (number, change) in changes.iter().enumerate() {
        if number == restart {
            operator = restarted(case, operator);
        }
        let (side, is_end) = (change.0, change.5);
        waiting.extend(apply(&mut tables[side], change, !case.identity[side].is_empty(), &mut next_id));
        let goes_on = changes.get(number + 1).is_some_and(|next| next.0 == side) && number + 1 != restart;
        if goes_on && !is_end {
            continue;
        }
        operator.push(side, case.chunk(&waiting), &mut out).unwrap();
        waiting.clear();
        folded.take(&mut out);
        assert_eq!(folded.rows(), case.oracle(&tables[0], &tables[1], |_, _| true), "{case:?}");
    }
    assert_eq!(operator.state_rows(), tables[0].len() + tables[1].len());
}

fn case(kind: JoinType) -> Case {
    Case { changes: [Changes::Changelog; 2], ..Case::new(kind, JoinBound::Updating) }
}

proptest! {
    #![proptest_config(super::properties())]

    #[test]
    fn the_folded_changes_are_the_join_of_the_tables_at_any_time(
        changes in changes(),
        has_filter: bool,
        is_text: bool,
        nulls_equal: bool,
        keyed in (any::<bool>(), any::<bool>()),
        restart in 0..80usize,
    ) {
        let key = |is_keyed: bool| if is_keyed { vec![2] } else { Vec::new() };
        let identity = [key(keyed.0), key(keyed.1)];
        for kind in KINDS {
            let case = Case { has_filter, is_text, nulls_equal, identity: identity.clone(), ..case(kind) };
            check(&case, &changes, restart);
        }
        for kind in ASKING {
            let case = Case { null_aware: true, has_filter, is_text, identity: identity.clone(), ..case(kind) };
            check(&case, &changes, restart);
        }
    }

    #[test]
    fn streams_that_never_take_back_may_be_joined_for_good(rows in changes(), restart in 0..80usize) {
        let rows: Vec<Change> = rows.into_iter().map(|change| (change.0, 0, change.2, change.3, change.4, change.5)).collect();
        for kind in KINDS {
            check(&Case::new(kind, JoinBound::Updating), &rows, restart);
        }
    }
}

fn row(key: i64, value: i64, id: i64) -> Row {
    Row { key: Some(key), value, id, time: 0 }
}

fn ops(out: &mut Output) -> Vec<(Op, Cells)> {
    let chunks: Vec<Chunk> = out.chunks.drain(..).collect();
    chunks
        .iter()
        .flat_map(|chunk| cells(chunk).into_iter().enumerate().map(|(row, cells)| (chunk.op(row), cells)))
        .collect()
}

#[test]
fn a_row_stands_alone_until_a_partner_comes_and_again_when_it_goes() {
    let case = case(JoinType::Left);
    let mut operator = case.operator(None);
    let mut out = Output::default();
    operator.push(0, case.chunk(&[(row(1, 2, 3), Op::Insert)]), &mut out).unwrap();
    operator.push(1, case.chunk(&[(row(1, 5, 6), Op::Insert)]), &mut out).unwrap();
    operator.push(1, case.chunk(&[(row(1, 5, 6), Op::Delete)]), &mut out).unwrap();
    let alone = vec![Some(1), Some(2), Some(3), Some(100), None, None, None, None];
    let paired = vec![Some(1), Some(2), Some(3), Some(100), Some(1), Some(5), Some(6), Some(100)];
    let expected = [
        (Op::Insert, alone.clone()),
        (Op::Delete, alone.clone()),
        (Op::Insert, paired.clone()),
        (Op::Delete, paired),
        (Op::Insert, alone),
    ];
    assert_eq!(ops(&mut out), expected);
}

#[test]
fn a_replacement_with_the_same_key_replaces_its_pairs() {
    let case = Case { identity: [vec![2], vec![2]], ..case(JoinType::Inner) };
    let mut operator = case.operator(None);
    let mut out = Output::default();
    operator.push(0, case.chunk(&[(row(1, 2, 3), Op::Insert)]), &mut out).unwrap();
    operator.push(1, case.chunk(&[(row(1, 5, 6), Op::Insert), (row(1, 7, 8), Op::Insert)]), &mut out).unwrap();
    out.chunks.clear();
    let update = [(row(1, 2, 3), Op::UpdateBefore), (row(1, 4, 3), Op::UpdateAfter)];
    operator.push(0, case.chunk(&update), &mut out).unwrap();
    let kinds: Vec<Op> = ops(&mut out).into_iter().map(|(op, _)| op).collect();
    assert_eq!(kinds, [Op::UpdateBefore, Op::UpdateAfter, Op::UpdateBefore, Op::UpdateAfter]);
}

#[test]
fn rows_that_outlive_their_time_are_forgotten_and_what_was_given_of_them_stays() {
    let case = case(JoinType::Left);
    let mut operator = case.operator(Some(Duration::from_secs(10)));
    let mut out = Output::default();
    // Before the first tick nobody knows the time: it counts from there.
    operator.push(1, case.chunk(&[(row(1, 5, 6), Op::Insert)]), &mut out).unwrap();
    operator.tick(1_000, &mut out).unwrap();
    operator.tick(6_000, &mut out).unwrap();
    operator.push(0, case.chunk(&[(row(1, 2, 3), Op::Insert)]), &mut out).unwrap();
    assert_eq!(ops(&mut out).len(), 1);
    operator.tick(11_000, &mut out).unwrap();
    assert_eq!(operator.state_rows(), 2);
    operator.tick(11_001, &mut out).unwrap();
    assert_eq!(operator.state_rows(), 1);
    assert!(out.chunks.is_empty());
    // The pair that was given stands for the row, so a new partner takes nothing back.
    operator.push(1, case.chunk(&[(row(1, 7, 8), Op::Insert)]), &mut out).unwrap();
    let kinds: Vec<Op> = ops(&mut out).into_iter().map(|(op, _)| op).collect();
    assert_eq!(kinds, [Op::Insert]);
    operator.tick(30_000, &mut out).unwrap();
    assert_eq!(operator.state_rows(), 0);
}
