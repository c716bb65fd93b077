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

    /// Asks for the verdict on every slot that may be due before `time`; those that are not gone stay.
    pub fn take(&mut self, time: i64, mut verdict: impl FnMut(u32) -> Verdict) {
        while let Some(mut first) = self.buckets.first_entry() {
            if *first.key() > time >> BUCKET_BITS {
                break;
            }
            let before = first.get().len();
            first.get_mut().retain(|slot| verdict(*slot) == Verdict::Wait);
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

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Handed out, or without a row: it leaves the agenda.
    Gone,
    /// Due later within the bucket.
    Wait,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(agenda: &mut Agenda, dues: &[i64], time: i64) -> Vec<u32> {
        let mut taken = Vec::new();
        agenda.take(time, |slot| {
            if dues[slot as usize] < time {
                taken.push(slot);
                Verdict::Gone
            } else {
                Verdict::Wait
            }
        });
        taken
    }

    #[test]
    fn what_is_due_before_a_time_is_given_once_and_the_rest_waits() {
        let dues = [-70, 5, 10, 63, 64, 1_000];
        let mut agenda = Agenda::default();
        agenda.add_all(&dues, &[0, 1, 2, 3, 4, 5]);
        assert_eq!(taken(&mut agenda, &dues, 10), [0, 1]);
        assert_eq!(taken(&mut agenda, &dues, 10), [0; 0]);
        assert_eq!(taken(&mut agenda, &dues, 64), [2, 3]);
        assert_eq!(taken(&mut agenda, &dues, i64::MAX), [4, 5]);
        assert_eq!(agenda.bytes(), 0);
    }
}
