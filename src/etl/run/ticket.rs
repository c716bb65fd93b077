//! What travels through the client with an event: whose it is, which attempt, and when it was handed over. One word.

use std::time::Duration;

/// Identifies an event on its way. Packed, so that a client can carry it without an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

/// Pairs that one run can tell apart: 2^20, far above every ETL times every environment.
pub const PAIRS_MAX: usize = 1 << PAIR_BITS;
/// Attempts that a ticket can count; more retries than this are not made.
pub const ATTEMPTS_MAX: u32 = (1 << ATTEMPT_BITS) - 1;

const PAIR_BITS: u32 = 20;
const ATTEMPT_BITS: u32 = 8;
const TIME_BITS: u32 = 36;
/// 2^36 of these are eight days; a later time counts as the eighth day.
const TIME_UNIT_NS: u128 = 10_000;

impl Ticket {
    /// For an attempt (from 0) of a pair's event, handed over at a time since the run began.
    pub fn new(pair: usize, attempt: u32, at: Duration) -> Self {
        debug_assert!(pair < PAIRS_MAX);
        let time = u64::try_from(at.as_nanos() / TIME_UNIT_NS).unwrap_or(u64::MAX).min((1 << TIME_BITS) - 1);
        Self(pair as u64 | u64::from(attempt.min(ATTEMPTS_MAX)) << PAIR_BITS | time << (PAIR_BITS + ATTEMPT_BITS))
    }

    /// The pair's place in the plan.
    pub fn pair(self) -> usize {
        (self.0 & ((1 << PAIR_BITS) - 1)) as usize
    }

    /// The attempt, from 0.
    pub fn attempt(self) -> u32 {
        (self.0 >> PAIR_BITS) as u32 & ATTEMPTS_MAX
    }

    /// When it was handed over, since the run began, to 10 microseconds.
    pub fn at(self) -> Duration {
        Duration::from_micros((self.0 >> (PAIR_BITS + ATTEMPT_BITS)) * 10)
    }
}

impl From<Ticket> for usize {
    fn from(ticket: Ticket) -> Self {
        ticket.0 as Self
    }
}

impl From<usize> for Ticket {
    fn from(word: usize) -> Self {
        Self(word as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_gives_back_what_went_in() {
        let ticket = Ticket::from(usize::from(Ticket::new(59, 3, Duration::from_millis(86_400_000))));
        assert_eq!((ticket.pair(), ticket.attempt(), ticket.at()), (59, 3, Duration::from_secs(86_400)));
        let full = Ticket::new(PAIRS_MAX - 1, 1_000, Duration::from_secs(u64::MAX));
        assert_eq!((full.pair(), full.attempt()), (PAIRS_MAX - 1, ATTEMPTS_MAX));
    }
}
