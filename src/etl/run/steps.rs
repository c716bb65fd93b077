//! How long each step of an event took, in histograms that merge. One thread writes one of these; no lock, no sharing.

use hdrhistogram::Histogram;

/// Longest time that is told apart, microseconds: one hour. Longer counts as an hour.
const LONGEST_US: u64 = 3_600_000_000;
/// Significant digits: 2 keep a percentile within 1 % and a histogram at some 25 KB.
const DIGITS: u8 = 2;

/// Times of one step, microseconds.
#[derive(Debug, Clone, Default)]
pub struct Times(Option<Histogram<u64>>);

impl Times {
    /// Adds a time in nanoseconds.
    pub fn record_ns(&mut self, nanoseconds: u64) {
        self.record_ns_of(nanoseconds, 1);
    }

    /// Adds a time in nanoseconds that so many events share.
    pub fn record_ns_of(&mut self, nanoseconds: u64, events: u64) {
        if self.0.is_none() {
            self.0 = Histogram::new_with_bounds(1, LONGEST_US, DIGITS).ok();
        }
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record_n((nanoseconds / 1_000).max(1), events);
        }
    }

    /// Adds all of another's times.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (Some(own), Some(other)) => {
                own.add(other).ok();
            }
            (None, Some(other)) => self.0 = Some(other.clone()),
            (_, None) => {}
        }
    }

    /// The histogram, if anything was recorded.
    pub fn histogram(&self) -> Option<&Histogram<u64>> {
        self.0.as_ref()
    }
}

/// The steps of a pair's events.
#[derive(Debug, Clone, Default)]
pub struct Steps {
    /// From context to bytes: key, headers and payload, with the check of JSON.
    pub render: Times,
    /// From rendered to taken by a producer: its turn in the order, and room in the queue.
    pub queue: Times,
    /// From taken to confirmed by the broker.
    pub acknowledge: Times,
}

impl Steps {
    /// Adds all of another's times.
    pub fn merge(&mut self, other: &Self) {
        self.render.merge(&other.render);
        self.queue.merge(&other.queue);
        self.acknowledge.merge(&other.acknowledge);
    }
}
