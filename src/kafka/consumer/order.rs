//! The order of work on several records at once: what may begin now, and how far a partition is done without a gap.
//! Values only: it waits for nothing and commits nothing.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::kafka::group::Place;

/// Records that must stay one after another: those of a key in a partition, and those without a key in a partition. Shared by the
/// record and the books, so that its key is copied once.
pub type Lane = Arc<(Place, Option<Vec<u8>>)>;

/// Lanes that are at work, and what waits for its turn in each.
#[derive(Debug)]
pub struct Lanes<T> {
    busy: HashMap<Lane, VecDeque<T>>,
    waiting: usize,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { busy: HashMap::new(), waiting: 0 }
    }
}

impl<T> Lanes<T> {
    /// Something arrived in a lane: it is given back where it may begin at once.
    pub fn enter(&mut self, lane: &Lane, one: T) -> Option<T> {
        match self.busy.get_mut(lane) {
            Some(queue) => {
                queue.push_back(one);
                self.waiting += 1;
                None
            }
            None => {
                self.busy.insert(Arc::clone(lane), VecDeque::new());
                Some(one)
            }
        }
    }

    /// What was at work in a lane has ended: the next may begin. Without one the lane is free.
    pub fn next(&mut self, lane: &Lane) -> Option<T> {
        let next = self.busy.get_mut(lane)?.pop_front();
        match next {
            Some(_) => self.waiting -= 1,
            None => drop(self.busy.remove(lane)),
        }
        next
    }

    /// What waits in all lanes.
    pub fn waiting(&self) -> usize {
        self.waiting
    }
}

/// Offsets of the records that are at work or done and not committed yet, by partition.
#[derive(Debug, Default)]
pub struct Finished {
    /// For each partition the turn in which it was given to us, and whether each offset is done.
    places: HashMap<Place, (u64, BTreeMap<i64, bool>)>,
}

impl Finished {
    /// A record arrived. Another turn of its partition forgets what was known of the one before.
    pub fn arrived(&mut self, place: &Place, turn: u64, offset: i64) {
        if self.places.get(place).is_none_or(|(known, _)| *known != turn) {
            self.places.insert(place.clone(), (turn, BTreeMap::new()));
        }
        if let Some((_, offsets)) = self.places.get_mut(place) {
            offsets.insert(offset, false);
        }
    }

    /// A record is done: the last offset up to which every record of its partition is, where that moved.
    pub fn done(&mut self, place: &Place, turn: u64, offset: i64) -> Option<i64> {
        let (_, offsets) = self.places.get_mut(place).filter(|(known, _)| *known == turn)?;
        *offsets.get_mut(&offset)? = true;
        let mut last = None;
        while let Some(first) = offsets.first_entry().filter(|first| *first.get()) {
            last = Some(*first.key());
            first.remove();
        }
        last
    }

    /// Offsets held in memory.
    pub fn held(&self) -> usize {
        self.places.values().map(|(_, offsets)| offsets.len()).sum()
    }

    /// Forgets partitions that are not ours in that turn any more.
    pub fn retain(&mut self, is_ours: impl Fn(&Place, u64) -> bool) {
        self.places.retain(|place, (turn, _)| is_ours(place, *turn));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        ("orders".into(), 0)
    }

    #[test]
    fn a_lane_gives_one_at_a_time_in_order_and_lanes_do_not_wait_for_each_other() {
        let lane = |key: &str| Arc::new((place(), Some(key.as_bytes().to_vec())));
        let mut lanes = Lanes::default();
        assert_eq!(lanes.enter(&lane("a"), 1), Some(1));
        assert_eq!(lanes.enter(&lane("a"), 2), None);
        assert_eq!(lanes.enter(&lane("b"), 3), Some(3));
        assert_eq!(lanes.enter(&lane("a"), 4), None);
        assert_eq!(lanes.waiting(), 2);
        assert_eq!((lanes.next(&lane("a")), lanes.next(&lane("a")), lanes.next(&lane("a"))), (Some(2), Some(4), None));
        assert_eq!((lanes.enter(&lane("a"), 5), lanes.waiting()), (Some(5), 0), "a lane that was left is free");
    }

    #[test]
    fn records_without_a_key_are_a_lane_of_their_partition() {
        let mut lanes = Lanes::default();
        assert_eq!(lanes.enter(&Arc::new((place(), None)), 1), Some(1));
        assert_eq!(lanes.enter(&Arc::new((place(), None)), 2), None);
        assert_eq!(lanes.enter(&Arc::new((("orders".into(), 1), None)), 3), Some(3));
        assert_eq!(lanes.enter(&Arc::new((place(), Some(Vec::new()))), 4), Some(4), "an empty key is a key");
    }

    #[test]
    fn only_what_is_done_without_a_gap_is_ready_to_be_committed() {
        let mut finished = Finished::default();
        // A compacted topic: offsets need not follow each other.
        for offset in [3, 5, 6, 9] {
            finished.arrived(&place(), 1, offset);
        }
        assert_eq!(finished.done(&place(), 1, 6), None, "3 and 5 are at work");
        assert_eq!(finished.done(&place(), 1, 3), Some(3));
        assert_eq!(finished.done(&place(), 1, 5), Some(6));
        assert_eq!((finished.held(), finished.done(&place(), 1, 9), finished.held()), (1, Some(9), 0));
    }

    #[test]
    fn what_belongs_to_an_earlier_turn_of_a_partition_moves_nothing() {
        let mut finished = Finished::default();
        finished.arrived(&place(), 1, 3);
        finished.arrived(&place(), 2, 3);
        assert_eq!(finished.done(&place(), 1, 3), None);
        assert_eq!(finished.done(&place(), 2, 3), Some(3));
        finished.arrived(&place(), 2, 4);
        finished.retain(|_, turn| turn == 3);
        assert_eq!(finished.held(), 0);
    }
}
