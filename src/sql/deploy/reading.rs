//! From the counters of a running job to its status. It decides nothing.

use std::time::Instant;

use super::status::{OperatorStatus, State, Status};
use crate::clock::now_ms;
use crate::sql::exec::statistics::Statistics;

/// What rates are computed from.
#[derive(Default)]
pub struct Reading {
    before: Option<(Instant, u64)>,
}

impl Reading {
    /// Puts into the status whether it is cut off from what it reads or writes, and why. Answers whether that is news.
    pub fn notice(now: &Statistics, status: &mut Status) -> bool {
        let (state, fault) = match (&now.outage, status.state) {
            (Some(why), State::Running | State::Reconnecting) => (State::Reconnecting, Some(why.clone())),
            (None, State::Reconnecting) => (State::Running, None),
            _ => return false,
        };
        let is_news = status.state != state;
        (status.state, status.fault) = (state, fault);
        is_news
    }

    /// Puts what was counted by now into the status.
    pub fn take(&mut self, now: &Statistics, status: &mut Status) {
        let read = now.rows_read();
        if let Some((at, before)) = self.before.replace((Instant::now(), read)) {
            status.rows_per_second = read.saturating_sub(before) as f64 / at.elapsed().as_secs_f64().max(0.001);
        }
        status.rows_read = read;
        status.rows_written = now.rows_written();
        status.late = now.late();
        status.bad = now.failures.bad();
        status.retries = now.retries();
        status.operators = now.operators.iter().map(OperatorStatus::of).collect();
        status.state_bytes = now.state_bytes() as u64;
        let sources = now.operators.iter().filter(|operator| operator.is_source);
        // What was known of it before an outage says nothing of now.
        status.lag_records = now.outage.is_none().then(|| sources.map(|source| source.backlog).sum());
        let watermarks = now.operators.iter().filter_map(|operator| operator.watermark);
        status.watermark_ms = watermarks.filter(|watermark| *watermark != i64::MAX).min();
        if let Some(checkpoint) = now.checkpoint
            && status.checkpoint != Some(checkpoint.epoch)
        {
            status.checkpoint = Some(checkpoint.epoch);
            status.checkpoint_ms = Some(now_ms());
        }
    }
}
