//! How long frames took, for the log: a person who sees the console stutter can say by how much. It never decides anything.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest frame told apart from others, microseconds: one that takes longer than a minute is a hang.
const LONGEST_US: u64 = 60_000_000;
/// Significant digits: a frame is told to a hundredth of its time.
const DIGITS: u8 = 2;

/// Times from the first fact taken in to the last byte drawn.
pub struct FrameTimes(Option<Histogram<u64>>);

impl FrameTimes {
    /// Nothing drawn yet.
    pub fn new() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST_US, DIGITS).ok())
    }

    /// A frame was drawn.
    pub fn add(&mut self, took: Duration) {
        if let Some(times) = &mut self.0 {
            times.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST_US));
        }
    }

    /// Frames drawn.
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }
}

impl fmt::Display for FrameTimes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(times) = &self.0 else { return Ok(()) };
        let [median, most, longest] =
            [times.value_at_quantile(0.5), times.value_at_quantile(0.99), times.max()].map(|us| us as f64 / 1_000.0);
        write!(formatter, "{} frames: p50 {median:.2} ms, p99 {most:.2} ms, longest {longest:.2} ms", times.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_by_count_and_time() {
        let mut times = FrameTimes::new();
        for ms in 1..=100 {
            times.add(Duration::from_millis(ms));
        }
        assert_eq!(times.count(), 100);
        assert!(times.to_string().starts_with("100 frames: p50 50."), "{times}");
    }
}
