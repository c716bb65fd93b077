//! Events that failed in a way that may pass, until they are due again. Bounded by what may be in flight: an event that
//! waits here still counts as in flight, so that nothing new is made in its place.

use std::cmp::{Ordering as Order, Reverse};
use std::collections::BinaryHeap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::core::lock::WholeMutex;
use crate::core::record::Message;

use super::ledger::Cause;

/// Longest pause between two attempts: past this a broker that came back would stand idle.
pub const PAUSE_MAX: Duration = Duration::from_secs(30);

/// An event to be sent again.
#[derive(Debug)]
pub struct Retry {
    /// When it is due.
    pub due: Instant,
    /// Its pair's place in the plan.
    pub pair: usize,
    /// The attempt it will be, from 1.
    pub attempt: u32,
    /// Its connection.
    pub lane: usize,
    /// Its producer among the connection's.
    pub slot: usize,
    /// The record as it was.
    pub message: Message,
    /// Why the last attempt failed.
    pub cause: Cause,
}

/// Pause before attempt `attempt` (from 1): the first doubles each time, half of it up to one and a half by `chance`
/// (0 to 1), so that what failed together does not come back together.
pub fn pause(first_ms: u32, attempt: u32, chance: f64) -> Duration {
    let doubled = f64::from(first_ms) * 2_f64.powi(attempt.saturating_sub(1).min(30) as i32);
    Duration::from_secs_f64((doubled * (0.5 + chance.clamp(0.0, 1.0)) / 1_000.0).min(PAUSE_MAX.as_secs_f64()))
}

/// What waits, the next due first.
#[derive(Default)]
pub struct Retries {
    waiting: Mutex<BinaryHeap<Reverse<ByDue>>>,
    count: AtomicUsize,
}

impl Retries {
    /// Keeps an event until it is due.
    pub fn push(&self, retry: Retry) {
        self.waiting.hold().push(Reverse(ByDue(retry)));
        self.count.fetch_add(1, Ordering::Release);
    }

    /// The next event that is due.
    pub fn take_due(&self, now: Instant) -> Option<Retry> {
        // Asked for before every batch: no lock while nothing waits.
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut waiting = self.waiting.hold();
        if waiting.peek()?.0.0.due > now {
            return None;
        }
        self.count.fetch_sub(1, Ordering::Release);
        waiting.pop().map(|Reverse(ByDue(retry))| retry)
    }

    /// Takes everything, due or not.
    pub fn take_all(&self) -> Vec<Retry> {
        let waiting = std::mem::take(&mut *self.waiting.hold());
        self.count.fetch_sub(waiting.len(), Ordering::Release);
        waiting.into_iter().map(|Reverse(ByDue(retry))| retry).collect()
    }
}

struct ByDue(Retry);

impl PartialEq for ByDue {
    fn eq(&self, other: &Self) -> bool {
        self.0.due == other.0.due
    }
}

impl Eq for ByDue {}

impl PartialOrd for ByDue {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl Ord for ByDue {
    fn cmp(&self, other: &Self) -> Order {
        self.0.due.cmp(&other.0.due)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::core::fault::Blame;

    #[test]
    fn a_pause_doubles_within_its_jitter_and_is_never_endless() {
        assert_eq!(pause(100, 1, 0.5), Duration::from_millis(100));
        assert_eq!(pause(100, 3, 0.5), Duration::from_millis(400));
        assert_eq!((pause(100, 1, 0.0), pause(100, 1, 1.0)), (Duration::from_millis(50), Duration::from_millis(150)));
        assert_eq!(pause(u32::MAX, 255, 1.0), PAUSE_MAX);
    }

    #[test]
    fn what_is_due_first_comes_first_and_nothing_before_its_time() {
        let (now, retries) = (Instant::now(), Retries::default());
        for ms in [30_u64, 10, 20] {
            let cause = Cause { blame: Blame::Connection, text: "lost".into() };
            let due = now + Duration::from_millis(ms);
            let message = Message::default();
            retries.push(Retry { due, pair: ms as usize, attempt: 1, lane: 0, slot: 0, message, cause });
        }
        assert!(retries.take_due(now).is_none());
        let late = now + Duration::from_millis(25);
        assert_eq!(retries.take_due(late).unwrap().pair, 10);
        assert_eq!(retries.take_due(late).unwrap().pair, 20);
        assert!(retries.take_due(late).is_none());
        assert_eq!(retries.take_all().len(), 1);
    }
}
