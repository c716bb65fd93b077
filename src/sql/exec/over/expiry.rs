//! Buffers that a silence empties (`EXPIRE AFTER … INACTIVITY`): what comes behind it is answered as the first of its
//! partition, and a partition that stays silent is forgotten.

use super::Over;
use super::partition::{Partition, Place};
use crate::core::fault::Fault;
use crate::sql::exec::operator::Output;

impl Over {
    /// Answers rows up to each silence in the line of a partition, and empties it there.
    ///
    /// # Errors
    /// What no row can be blamed for.
    pub(super) fn expire(&mut self, number: usize, out: &mut Output) -> Result<(), Fault> {
        let Some(silence_ms) = self.silence_ms else { return Ok(()) };
        loop {
            let Partition { rows, answered, .. } = &self.partitions[number];
            let is_silence = |at: &usize| rows[*at].time.saturating_sub(rows[at - 1].time) > silence_ms;
            let Some(first) = ((*answered).max(1)..rows.len()).find(is_silence) else { return Ok(()) };
            // What stands behind the silence is no row of the frames before it.
            let behind = self.partitions[number].rows.split_off(first);
            self.take_decoded(number);
            if self.partitions[number].answered < first {
                self.answer(&[(number, first)], out)?;
            }
            self.empty(number);
            self.partitions[number].rows = behind;
        }
    }

    /// Whether a partition has been silent for so long that whatever comes is its first row.
    pub(super) fn is_silent(&self, number: usize) -> bool {
        let partition = &self.partitions[number];
        let Some(ends) = self.expires_at(number) else { return false };
        partition.held.is_empty() && ends < self.watermark
    }

    /// The time behind which a partition is forgotten unless a row comes.
    pub(super) fn expires_at(&self, number: usize) -> Option<i64> {
        let last = self.partitions[number].rows.last()?;
        self.silence_ms.map(|silence_ms| last.time.saturating_add(silence_ms))
    }

    /// Forgets all rows of a partition, and how far its numbers and sums had come.
    fn empty(&mut self, number: usize) {
        self.take_decoded(number);
        let rows = std::mem::take(&mut self.partitions[number].rows);
        rows.iter().for_each(|row| self.forget(row));
        let partition = &mut self.partitions[number];
        (partition.answered, partition.base, partition.place) = (0, 0, Place::default());
        self.running.clear(number);
        self.answers.remove(number);
    }
}
