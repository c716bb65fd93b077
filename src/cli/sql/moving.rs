//! The line that says how far a job is. It is shown while something is waited for and gone when that comes.

use std::time::Instant;

use tokio::sync::watch;

use crate::cli::progress::{Progress, REFRESH, grouped, rate};
use crate::sql::exec::job::Job;
use crate::sql::exec::statistics::Statistics;

/// The line of progress of a job.
pub(super) struct Moving {
    progress: Progress,
    statistics: watch::Receiver<Statistics>,
    began: Instant,
}

impl Moving {
    pub fn new(job: &Job) -> Self {
        Self { progress: Progress::open_ended(false), statistics: job.statistics(), began: Instant::now() }
    }

    /// Shows how far it is, as long as it is waited for.
    async fn show<T>(&self) -> T {
        loop {
            tokio::time::sleep(REFRESH).await;
            let now = self.statistics.borrow().clone();
            let (read, written) = (now.rows_read(), now.rows_written());
            let pace = rate(read as f64 / self.began.elapsed().as_secs_f64());
            self.progress.show(read, format!("{} read, {} written, {pace}", grouped(read), grouped(written)));
        }
    }
}

/// What a future gives; a line of progress moves until then.
pub(super) async fn shown_meanwhile<T>(moving: Option<&Moving>, work: impl Future<Output = T>) -> T {
    let Some(moving) = moving else { return work.await };
    tokio::select! {
        done = work => done,
        never = moving.show() => never,
    }
}
