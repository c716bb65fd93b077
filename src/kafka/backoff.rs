//! How long to wait before trying again: doubling, capped, with jitter so that many who failed together do not
//! return together. Values only.

use std::time::Duration;

use rand::RngExt;

/// Pauses that double from `first` up to `cap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub cap: Duration,
}

impl Backoff {
    /// The pause before attempt `attempt` (from 1) without jitter.
    pub fn ceiling(&self, attempt: u32) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1).min(31));
        self.first.saturating_mul(factor).min(self.cap)
    }

    /// The pause before attempt `attempt`: between half of the ceiling and all of it.
    pub fn pause(&self, attempt: u32) -> Duration {
        self.ceiling(attempt).mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_jitter_stays_in_the_upper_half() {
        let backoff = Backoff { first: Duration::from_millis(100), cap: Duration::from_millis(1_000) };
        let ceilings: Vec<u128> = (1..=6).map(|attempt| backoff.ceiling(attempt).as_millis()).collect();
        assert_eq!(ceilings, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(backoff.ceiling(u32::MAX), backoff.cap);
        for attempt in 1..=6 {
            let (pause, ceiling) = (backoff.pause(attempt), backoff.ceiling(attempt));
            assert!(ceiling / 2 <= pause && pause <= ceiling, "{pause:?}");
        }
    }
}
