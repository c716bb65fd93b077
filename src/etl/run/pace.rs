//! How fast events may be made: a bucket of permits that fills with time. It reads no clock; it is told the time.

use std::time::{Duration, Instant};

/// Permits that may lie ready, as a stretch of time at the full rate. Short, so that a rate is kept second by second and
/// long enough that a worker is not woken for every single event.
pub const BURST_MS: u64 = 20;

/// Permits for events at a steady rate.
#[derive(Debug, Clone)]
pub struct Bucket {
    per_second: f64,
    burst: f64,
    ready: f64,
    filled_at: Instant,
}

impl Bucket {
    /// A bucket that gives `per_second` permits a second, one at least being ready at once.
    pub fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second.max(1));
        let burst = (per_second * BURST_MS as f64 / 1_000.0).max(1.0);
        Self { per_second, burst, ready: 1.0, filled_at: now }
    }

    /// Takes at most `wanted` permits, or says how long it is until there is one.
    pub fn take(&mut self, wanted: u64, now: Instant) -> Result<u64, Duration> {
        let passed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.ready = (self.ready + passed * self.per_second).min(self.burst);
        self.filled_at = self.filled_at.max(now);
        // What floating point leaves of a permit (0.999…) is one.
        let whole = (self.ready + 1e-9).floor();
        if whole < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.ready) / self.per_second));
        }
        let taken = wanted.min(whole as u64);
        self.ready -= taken as f64;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn over_any_time_no_more_than_the_rate_and_one_burst_is_given() {
        for per_second in [1, 7, 1_000, 90_000] {
            let start = Instant::now();
            let mut bucket = Bucket::new(per_second, start);
            let mut given = 0;
            for ms in 0..5_000 {
                given += bucket.take(u64::MAX, start + Duration::from_millis(ms)).unwrap_or(0);
            }
            let (least, most) = (u64::from(per_second) * 499 / 100, u64::from(per_second) * 5 + 1);
            assert!((least..=most).contains(&given), "{per_second} a second gave {given} in 5 s");
        }
    }

    #[test]
    fn the_wait_it_names_is_enough() {
        let start = Instant::now();
        let mut bucket = Bucket::new(3, start);
        assert_eq!(bucket.take(1, start), Ok(1));
        let wait = bucket.take(1, start).unwrap_err();
        assert_eq!(bucket.take(1, start + wait + Duration::from_micros(1)), Ok(1));
    }

    #[test]
    fn a_time_before_the_last_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(10);
        let mut bucket = Bucket::new(10, start);
        assert_eq!(bucket.take(1, start), Ok(1));
        assert!(bucket.take(1, start - Duration::from_secs(5)).is_err());
    }
}
