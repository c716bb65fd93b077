//! What a person is told while a run goes on: how fast it is at the moment, and how long confirmations take. Counts
//! nothing of its own.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::core::progress::Latency;

use super::lane::Lane;
use super::steps::Times;

/// Time over which the rate of the moment is measured.
const RATE_OVER: Duration = Duration::from_secs(1);

/// How long acknowledgements took in the last whole period of [`RATE_OVER`].
pub(super) struct Recent {
    since: Instant,
    latency: Option<Latency>,
}

impl Recent {
    pub fn new(now: Instant) -> Self {
        Self { since: now, latency: None }
    }

    pub fn of(&mut self, now: Instant, lanes: &[Lane]) -> Option<Latency> {
        if now - self.since >= RATE_OVER {
            self.since = now;
            let mut times = Times::default();
            lanes.iter().flat_map(Lane::slots).for_each(|slot| times.merge(&slot.desk.take_recent()));
            self.latency = times
                .histogram()
                .map(|times| Latency { p50_us: times.value_at_quantile(0.5), p99_us: times.value_at_quantile(0.99) });
        }
        self.latency
    }
}

/// The rate of the moment, over the last second or so.
#[derive(Default)]
pub(super) struct Rate(VecDeque<(Instant, u64)>);

impl Rate {
    pub fn per_second(&mut self, now: Instant, count: u64) -> f64 {
        self.0.push_back((now, count));
        while self.0.len() > 2 && self.0.front().is_some_and(|(then, _)| now - *then > RATE_OVER) {
            self.0.pop_front();
        }
        match self.0.front() {
            Some((then, before)) if now > *then => (count - before) as f64 / (now - *then).as_secs_f64(),
            _ => 0.0,
        }
    }
}
