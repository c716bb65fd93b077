//! The line that says how far a job is. It is shown while something is waited for and gone when that comes.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::cli::progress::{Progress, REFRESH, grouped, rate};
use crate::sql::exec::job::Job;
use crate::sql::exec::statistics::Statistics;
use crate::sql::parse::statement::WindowKind;
use crate::sql::plan::stream::{NodeKind, StreamPlan};

/// The line of progress of a job.
pub(super) struct Moving {
    progress: Progress,
    statistics: watch::Receiver<Statistics>,
    closing: Option<Closing>,
    began: Instant,
}

impl Moving {
    /// Of a job whose results wait for the windows of `closing`.
    pub fn new(job: &Job, closing: Option<Closing>) -> Self {
        let (progress, statistics) = (Progress::open_ended(false), job.statistics());
        Self { progress, statistics, closing, began: Instant::now() }
    }

    /// Shows how far it is, as long as it is waited for.
    async fn show<T>(&self) -> T {
        loop {
            tokio::time::sleep(REFRESH).await;
            let now = self.statistics.borrow().clone();
            let (read, written) = (now.rows_read(), now.rows_written());
            let pace = rate(read as f64 / self.began.elapsed().as_secs_f64());
            let words = match &self.closing {
                // Nothing is written before a window ends: what counts is when that is.
                Some(closing) => format!("{} read, {pace}, {}", grouped(read), closing.words(&now)),
                None => format!("{} read, {} written, {pace}", grouped(read), grouped(written)),
            };
            let words = match share(&now) {
                Some(percent) => format!("{words}, {percent} %"),
                None => words,
            };
            self.progress.show(read, words);
        }
    }
}

/// How much of all sources is read, in percent, where every one of them knows how long it is.
fn share(now: &Statistics) -> Option<u64> {
    let sources = now.operators.iter().filter(|operator| operator.is_source);
    let known: Option<Vec<(u64, u64)>> = sources.map(|source| source.progress).collect();
    let (done, total) = known?.into_iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    // Of compressed files nobody knows how much is read: nothing is said of them.
    (done > 0).then(|| done.saturating_mul(100).checked_div(total).unwrap_or_default().min(100))
}

/// What a future gives; a line of progress moves until then.
pub(super) async fn shown_meanwhile<T>(moving: Option<&Moving>, work: impl Future<Output = T>) -> T {
    let Some(moving) = moving else { return work.await };
    tokio::select! {
        done = work => done,
        never = moving.show() => never,
    }
}

/// Windows whose ends results wait for, by their node in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closing {
    node: usize,
    /// From one end to the next, and the shift of the ends from 1970; none where no clock says when one ends.
    ends_ms: Option<(i64, i64)>,
}

impl Closing {
    /// The first windows of a plan.
    pub fn of(plan: &StreamPlan) -> Option<Self> {
        plan.nodes.iter().enumerate().find_map(|(node, of)| match &of.kind {
            NodeKind::WindowAggregate { window, .. } => Some(Self { node, ends_ms: ends(window.kind) }),
            _ => None,
        })
    }

    fn words(&self, now: &Statistics) -> String {
        let watermarks = now.operators.iter().filter(|operator| operator.node == self.node);
        let Some(watermark) = watermarks.filter_map(|operator| operator.watermark).min() else {
            return "no time is known yet".to_owned();
        };
        let Ok(at) = Timestamp::from_millisecond(watermark) else { return "all is read".to_owned() };
        let (day, at) = (at.strftime("%Y-%m-%d").to_string(), at.strftime("%H:%M:%SZ"));
        let end = self.ends_ms.map(|(step, shift)| next_end(watermark, step, shift));
        let Some(end) = end.and_then(|end| Timestamp::from_millisecond(end).ok()) else { return format!("{day} {at}") };
        let is_same_day = end.strftime("%Y-%m-%d").to_string() == day;
        let end = end.strftime(if is_same_day { "%H:%M:%SZ" } else { "%Y-%m-%d %H:%M:%SZ" });
        format!("{day} {at}, window ends {end}")
    }
}

fn ends(kind: WindowKind) -> Option<(i64, i64)> {
    let ms = |length: Duration| i64::try_from(length.as_millis()).ok().filter(|ms| *ms > 0);
    match kind {
        WindowKind::Tumbling { size, offset } => Some((ms(size)?, ms(offset).unwrap_or(0))),
        WindowKind::Hopping { size, advance } => Some((ms(advance)?, ms(size)?)),
        WindowKind::Cumulating { step, .. } => Some((ms(step)?, 0)),
        WindowKind::Session { .. } => None,
    }
}

/// The first end of a window behind a time.
fn next_end(time: i64, step: i64, shift: i64) -> i64 {
    let passed = time.saturating_sub(shift).div_euclid(step);
    passed.saturating_add(1).saturating_mul(step).saturating_add(shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::exec::statistics::Counters;

    #[test]
    fn the_next_window_ends_behind_the_watermark() {
        let seconds = Duration::from_secs;
        let hopping = ends(WindowKind::Hopping { size: seconds(10), advance: seconds(4) });
        assert_eq!(hopping.map(|(step, shift)| next_end(9_000, step, shift)), Some(10_000));
        let tumbling = ends(WindowKind::Tumbling { size: seconds(60), offset: seconds(5) });
        assert_eq!(tumbling.map(|(step, shift)| next_end(-1, step, shift)), Some(5_000));
        assert_eq!(tumbling.map(|(step, shift)| next_end(5_000, step, shift)), Some(65_000));
        assert_eq!(ends(WindowKind::Session { gap: seconds(1) }), None);
    }

    #[test]
    fn the_line_says_how_much_is_read_where_every_source_knows() {
        let files = Counters::of_source("read a.csv", 2);
        let said = |others: &[&Counters]| {
            let operators = std::iter::once(files.as_ref()).chain(others.iter().copied());
            share(&Statistics { operators: operators.map(|of| of.read(0)).collect(), ..Statistics::default() })
        };
        assert_eq!(said(&[]), None);
        files.progress(0, 30, 100);
        files.progress(1, 20, 100);
        assert_eq!(said(&[]), Some(25));
        assert_eq!(said(&[&Counters::new("window", 1)]), Some(25));
        assert_eq!(said(&[&Counters::of_source("read orders", 1)]), None);
    }

    #[test]
    fn the_line_says_what_time_it_is_in_the_rows_and_when_a_window_ends() {
        let closing = Closing { node: 3, ends_ms: Some((60_000, 0)) };
        let counters = Counters::new("window", 1);
        let said = || closing.words(&Statistics { operators: vec![counters.read(3)], ..Statistics::default() });
        assert_eq!(said(), "no time is known yet");
        counters.watermark(0, 90_000);
        assert_eq!(said(), "1970-01-01 00:01:30Z, window ends 00:02:00Z");
        counters.watermark(0, i64::MAX);
        assert_eq!(said(), "all is read");
    }
}
