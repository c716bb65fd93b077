//! A bounded tail that forgets its oldest entry and counts what it forgot. It never grows past its capacity.

use std::collections::VecDeque;

/// The newest `capacity` entries.
#[derive(Debug, Clone)]
pub struct Ring<T> {
    slots: VecDeque<T>,
    capacity: usize,
    dropped: u64,
}

impl<T> Ring<T> {
    /// An empty ring for `capacity` entries, at least one.
    pub fn new(capacity: usize) -> Self {
        Self { slots: VecDeque::new(), capacity: capacity.max(1), dropped: 0 }
    }

    /// Most entries that it holds.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Adds an entry; the oldest leaves when there is no room.
    pub fn push(&mut self, entry: T) {
        if self.is_full() {
            self.forget_oldest();
        }
        self.slots.push_back(entry);
    }

    /// Forgets the oldest entry and counts it; gives it to the caller.
    pub fn forget_oldest(&mut self) -> Option<T> {
        let oldest = self.slots.pop_front()?;
        self.dropped += 1;
        Some(oldest)
    }

    /// Whether the next entry takes the place of the oldest.
    pub fn is_full(&self) -> bool {
        self.slots.len() == self.capacity
    }

    /// Entries, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.slots.iter()
    }

    /// The entry at `index`, the oldest being 0.
    pub fn get(&self, index: usize) -> Option<&T> {
        self.slots.get(index)
    }

    /// The newest entry.
    pub fn last(&self) -> Option<&T> {
        self.slots.back()
    }

    /// Entries held.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Entries forgotten since the ring was made.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes all entries out, oldest first. What was forgotten stays counted.
    pub fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.slots.drain(..)
    }

    /// Forgets every entry, uncounted.
    pub fn clear(&mut self) {
        self.slots.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_forgets_the_oldest_and_counts_it() {
        let mut ring = Ring::new(2);
        (1..=5).for_each(|entry| ring.push(entry));
        assert_eq!(ring.iter().copied().collect::<Vec<_>>(), [4, 5]);
        assert_eq!(ring.dropped(), 3);
    }
}
