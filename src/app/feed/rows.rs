//! Rows of one query on their way to the next frame. Of a result whose rows only come the newest are kept; of one that
//! changes the newest state of each slot. What gives way is counted.

use std::collections::{BTreeMap, VecDeque};

use crate::app::model::queries::{QUERY_ROWS_MAX, QueryRow, RowChange};

/// Appended rows of one query under way to the next frame: as many as its view keeps, so that a result which the view has
/// room for reaches it whole.
pub const TAP_ROWS_MAX: usize = QUERY_ROWS_MAX;

/// Rows under way. Changed rows are bounded by the number of slots.
#[derive(Default)]
pub(super) struct RowsHeld {
    appended: VecDeque<QueryRow>,
    changed: BTreeMap<u32, QueryRow>,
    skipped: u64,
}

impl RowsHeld {
    pub fn push(&mut self, row: QueryRow) {
        if row.change != RowChange::Appended {
            let replaced = self.changed.insert(row.slot, row);
            self.skipped += u64::from(replaced.is_some());
            return;
        }
        self.appended.push_back(row);
        if TAP_ROWS_MAX < self.appended.len() {
            self.appended.pop_front();
            self.skipped += 1;
        }
    }

    pub fn skip(&mut self, rows: u64) {
        self.skipped += rows;
    }

    /// What came since it was taken last; `None` where nothing did.
    pub fn take(&mut self) -> Option<(Vec<QueryRow>, u64)> {
        let mut rows: Vec<QueryRow> = self.appended.drain(..).collect();
        rows.extend(std::mem::take(&mut self.changed).into_values());
        let skipped = std::mem::take(&mut self.skipped);
        (!rows.is_empty() || 0 < skipped).then_some((rows, skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(change: RowChange, slot: u32, born: u64) -> QueryRow {
        QueryRow { change, slot, born, cells: Vec::new(), at_ms: 0, is_update: false }
    }

    #[test]
    fn appended_rows_beyond_the_bound_give_way_oldest_first_and_are_counted() {
        let mut held = RowsHeld::default();
        (0..10_000).for_each(|born| held.push(row(RowChange::Appended, 0, born)));
        let taken = held.take();
        assert_eq!(
            taken.map(|(rows, skipped)| (rows[0].born, rows.len(), skipped)),
            Some((10_000 - TAP_ROWS_MAX as u64, TAP_ROWS_MAX, 10_000 - TAP_ROWS_MAX as u64))
        );
        assert_eq!(held.take(), None);
    }

    #[test]
    fn the_newest_state_of_a_slot_is_never_lost() {
        let mut held = RowsHeld::default();
        (0..10_000).for_each(|born| held.push(row(RowChange::Changed, (born % 3) as u32, born)));
        let taken = held.take();
        let born = taken.map(|(rows, skipped)| (rows.iter().map(|row| row.born).collect::<Vec<_>>(), skipped));
        assert_eq!(born, Some((vec![9_999, 9_997, 9_998], 9_997)));
    }
}
