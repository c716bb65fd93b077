//! Which slots are due when: what is due before a time is found without a look at the rest. It may hold entries for
//! slots that went earlier; who asks knows which of them still stand.

use std::collections::BTreeMap;

/// Times of one bucket differ in this many low bits: 64 ms, so that a bucket holds the rows of one batch or so and the
/// one that a watermark cuts through is cheap to look over.
const BUCKET_BITS: u32 = 6;

/// Slots in buckets by the time that they are due.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    buckets: BTreeMap<i64, Vec<u32>>,
    entries: usize,
}

impl Agenda {
    /// `slot` is due at `due`.
    pub fn add(&mut self, due: i64, slot: u32) {
        self.buckets.entry(due >> BUCKET_BITS).or_default().push(slot);
        self.entries += 1;
    }

    /// `slots` are due at `dues`: neighbours mostly share a bucket, which is looked up once.
    pub fn add_all(&mut self, dues: &[i64], slots: &[u32]) {
        let mut from = 0;
        for run in dues.chunk_by(|one, other| one >> BUCKET_BITS == other >> BUCKET_BITS) {
            let bucket = self.buckets.entry(run[0] >> BUCKET_BITS).or_default();
            bucket.extend_from_slice(&slots[from..from + run.len()]);
            from += run.len();
        }
        self.entries += slots.len();
    }

    /// Hands out what is due before `time` (at the end of time, everything), each once. `due` says when a slot is due as
    /// of now, `None` if it no longer is: an entry may be of an earlier row in the same slot. It is told of each slot
    /// that is handed out before it is asked again.
    pub fn take(&mut self, time: i64, mut due: impl FnMut(u32, Ask) -> Option<i64>) {
        let last = time >> BUCKET_BITS;
        while let Some(mut first) = self.buckets.first_entry() {
            let bucket = *first.key();
            if bucket > last {
                break;
            }
            let before = first.get().len();
            first.get_mut().retain(|slot| match due(*slot, Ask::When) {
                Some(at) if at < time || time == i64::MAX => {
                    due(*slot, Ask::Take);
                    false
                }
                Some(at) => at >> BUCKET_BITS == bucket,
                None => false,
            });
            self.entries -= before - first.get().len();
            if !first.get().is_empty() {
                break;
            }
            first.remove();
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.entries * size_of::<u32>() + self.buckets.len() * size_of::<(i64, Vec<u32>)>()
    }
}

/// What a slot is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// When it is due.
    When,
    /// Nothing: it is handed out, and is due no more.
    Take,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(agenda: &mut Agenda, dues: &mut [Option<i64>], time: i64) -> Vec<u32> {
        let mut taken = Vec::new();
        agenda.take(time, |slot, ask| match ask {
            Ask::When => dues[slot as usize],
            Ask::Take => {
                taken.push(slot);
                dues[slot as usize].take()
            }
        });
        taken
    }

    #[test]
    fn what_is_due_before_a_time_is_given_once_and_the_rest_waits() {
        let dues = [-70, 5, 10, 63, 64, 1_000];
        let mut agenda = Agenda::default();
        agenda.add_all(&dues, &[0, 1, 2, 3, 4, 5]);
        let mut dues = dues.map(Some);
        assert_eq!(taken(&mut agenda, &mut dues, 10), [0, 1]);
        assert_eq!(taken(&mut agenda, &mut dues, 10), [0; 0]);
        assert_eq!(taken(&mut agenda, &mut dues, 64), [2, 3]);
        assert_eq!(taken(&mut agenda, &mut dues, i64::MAX), [4, 5]);
        assert_eq!(agenda.bytes(), 0);
    }

    #[test]
    fn a_slot_with_a_later_row_does_not_hold_up_those_behind_it() {
        let mut agenda = Agenda::default();
        agenda.add_all(&[10, 200], &[0, 1]);
        agenda.add(5_000, 0);
        let mut dues = [Some(5_000), Some(200)];
        assert_eq!(taken(&mut agenda, &mut dues, 1_000), [1]);
        assert_eq!(taken(&mut agenda, &mut dues, 6_000), [0]);
    }
}
