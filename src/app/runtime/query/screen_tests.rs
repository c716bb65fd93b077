//! What the view of a query promises: exact counts, the newest state of every key, and a bound on what it holds.
#![allow(clippy::unwrap_used)]

use arrow::array::{ArrayRef, Int8Array, Int64Array, StringArray};

use super::*;

fn rows(rows: &[(Op, &str, i64)]) -> SinkRows {
    let keys = StringArray::from_iter_values(rows.iter().map(|(_, key, _)| *key));
    let values = Int64Array::from_iter_values(rows.iter().map(|(.., value)| *value));
    let columns = [("k", Arc::new(keys) as ArrayRef), ("v", Arc::new(values) as ArrayRef)];
    SinkRows {
        batch: RecordBatch::try_from_iter(columns).unwrap(),
        times: vec![0; rows.len()].into(),
        ops: Some(Int8Array::from_iter_values(rows.iter().map(|(op, ..)| *op as i8))),
    }
}

fn view(is_changelog: bool, key: Vec<usize>) -> View {
    View::new(&rows(&[]).batch.schema(), is_changelog, key)
}

/// `slot: key=value`, or `slot: -` for a row that went.
fn taken(view: &mut View) -> (Vec<String>, u64) {
    let (rows, skipped) = view.take().written().unwrap();
    let word = |cell: &Option<String>| cell.clone().unwrap_or_default();
    let said = |row: &QueryRow| match row.change {
        RowChange::Removed => format!("{}: -", row.slot),
        _ => format!("{}: {}={}", row.slot, word(&row.cells[0]), word(&row.cells[1])),
    };
    (rows.iter().map(said).collect(), skipped)
}

#[test]
fn of_a_keyed_result_the_view_gets_the_newest_state_of_every_key() {
    use Op::{Delete, Insert, UpdateAfter, UpdateBefore};
    let mut view = view(true, vec![0]);
    view.add(rows(&[(Insert, "a", 1), (Insert, "b", 1), (UpdateBefore, "a", 1), (UpdateAfter, "a", 2)])).unwrap();
    view.add(rows(&[(UpdateBefore, "a", 2), (UpdateAfter, "a", 3)])).unwrap();
    assert_eq!(taken(&mut view), (vec!["0: a=3".into(), "1: b=1".into()], 2));
    view.add(rows(&[(Delete, "a", 3), (Insert, "c", 1)])).unwrap();
    assert_eq!(taken(&mut view), (vec!["0: c=1".into()], 1), "the new key has the slot of the one that went");
    view.add(rows(&[(Delete, "b", 1)])).unwrap();
    assert_eq!(taken(&mut view), (vec!["1: -".into()], 0));
}

#[test]
fn a_result_without_a_key_is_replaced_in_place() {
    use Op::{Insert, UpdateAfter, UpdateBefore};
    let mut view = view(true, Vec::new());
    view.add(rows(&[(Insert, "all", 1)])).unwrap();
    assert_eq!(taken(&mut view), (vec!["0: all=1".into()], 0));
    view.add(rows(&[(UpdateBefore, "all", 1), (UpdateAfter, "all", 2)])).unwrap();
    assert_eq!(taken(&mut view), (vec!["0: all=2".into()], 0));
    // Equal rows stand side by side, and leave one by one.
    view.add(rows(&[(Insert, "x", 7), (Insert, "x", 7), (Op::Delete, "x", 7)])).unwrap();
    assert_eq!(taken(&mut view), (vec!["1: x=7".into(), "2: -".into()], 1));
}

#[test]
fn every_appended_row_is_shown_or_counted() {
    let mut view = view(false, Vec::new());
    let many: Vec<(Op, &str, i64)> = (0..300).map(|value| (Op::Insert, "k", value)).collect();
    for _ in 0..100 {
        view.add(rows(&many)).unwrap();
    }
    let (shown, skipped) = view.take().written().unwrap();
    assert_eq!((shown.len(), skipped), (TAP_ROWS_MAX, 30_000 - TAP_ROWS_MAX as u64));
    assert_eq!(shown.last().map(|row| row.born), Some(29_999));
    assert_eq!(shown[0].born, 30_000 - TAP_ROWS_MAX as u64);
}

#[test]
fn of_more_keys_than_fit_those_that_changed_last_are_held() {
    let mut view = view(true, vec![0]);
    let names: Vec<String> = (0..QUERY_ROWS_MAX + 500).map(|key| format!("k{key}")).collect();
    for name in &names {
        view.add(rows(&[(Op::Insert, name, 1)])).unwrap();
    }
    let (shown, skipped) = view.take().written().unwrap();
    assert_eq!((shown.len(), skipped), (QUERY_ROWS_MAX, 500));
    let mut held: Vec<&str> = shown.iter().filter_map(|row| row.cells[0].as_deref()).collect();
    held.sort_by_key(|name| name[1..].parse::<usize>().unwrap());
    assert_eq!((held[0], held[held.len() - 1]), ("k500", "k2499"));
    // One that was forgotten is new when it changes again; a retraction of one that is not held says nothing.
    view.add(rows(&[(Op::Delete, "k1", 1), (Op::UpdateAfter, "k0", 2)])).unwrap();
    let (shown, skipped) = view.take().written().unwrap();
    assert_eq!((shown.len(), skipped, shown[0].is_update), (1, 1, false));
}

#[test]
fn a_row_that_is_replaced_is_one_change_and_no_row_more() {
    use Op::{Delete, Insert, UpdateAfter, UpdateBefore};
    for key in [vec![0], Vec::new()] {
        let mut view = view(true, key);
        view.add(rows(&[(Insert, "a", 1), (Insert, "b", 1), (UpdateBefore, "a", 1), (UpdateAfter, "a", 2)])).unwrap();
        assert_eq!(view.made(), Made { changes: 3, rows: 2 });
        view.add(rows(&[(UpdateBefore, "a", 2), (UpdateAfter, "a", 3), (Delete, "b", 1)])).unwrap();
        assert_eq!(view.made(), Made { changes: 5, rows: 1 });
        let (shown, skipped) = view.take().written().unwrap();
        assert_eq!(shown.len() as u64 + skipped, view.made().changes, "what the view gets and misses adds up to it");
    }
    let mut appended = view(false, Vec::new());
    let without_ops = SinkRows { ops: None, ..rows(&[(Insert, "a", 1), (Insert, "a", 1)]) };
    appended.add(without_ops).unwrap();
    assert_eq!(appended.made(), Made { changes: 2, rows: 2 });
}
