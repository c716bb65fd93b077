//! The task of the sink: writes what comes, prepares at each barrier, and makes visible what is durable. Between
//! prepare and commit it takes no row.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::chunk::Chunk;
use super::evaluate::{FailedRow, bad_records};
use super::failures::Failures;
use super::inlet::{Event, Inlet};
use super::report::{Commit, Report};
use super::source::{ATTEMPTS, RETRIES};
use super::statistics::Counters;
use super::worker::ticks;
use crate::connectors::contract::{BadRow, Op, Sink, SinkRows};
use crate::core::duration::told;
use crate::core::fault::{Blame, Fault};

/// How long a sink may take for any one thing once its job is to stop. A broker that is well confirms a full queue in less,
/// and one that does not answer is not waited for: the job goes on from its last checkpoint another time.
pub const STOP_CONFIRM_MAX: Duration = Duration::from_secs(10);

/// The sink at work.
pub struct SinkTask {
    /// What comes.
    pub inlet: Inlet,
    /// The sink, open.
    pub sink: Box<dyn Sink>,
    /// Whether rows become visible with checkpoints.
    pub exactly_once: bool,
    /// What may be made visible.
    pub commits: mpsc::Receiver<Commit>,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// What happens to bad rows.
    pub failures: Arc<Failures>,
    /// Where to report.
    pub reports: mpsc::Sender<Report>,
    /// Cancelled when the job is to end.
    pub stopping: CancellationToken,
    /// Whether something was written since the last flush.
    pub is_dirty: bool,
}

impl SinkTask {
    /// Writes until all inputs have ended or `token` is cancelled; then what was not prepared is taken back.
    ///
    /// # Errors
    /// What ends the job.
    pub async fn run(mut self, token: CancellationToken) -> Result<(), Fault> {
        let outcome = tokio::select! {
            outcome = self.work() => outcome,
            () = token.cancelled() => {
                self.sink.close(false).await.ok();
                return Ok(());
            }
        };
        match outcome {
            Ok(()) => within(&self.stopping, self.sink.close(true)).await,
            Err(fault) => {
                if let Err(left) = self.sink.close(false).await {
                    tracing::warn!(target: "velox::sql", "{left}");
                }
                Err(fault)
            }
        }
    }

    async fn work(&mut self) -> Result<(), Fault> {
        let mut ticks = ticks();
        let stopping = self.stopping.clone();
        loop {
            let event = tokio::select! {
                biased;
                event = self.inlet.next() => event,
                // Nothing came since the last tick: what is written is to be seen.
                _ = ticks.tick() => {
                    self.counters.backlog(0, 0);
                    self.counters.retries(0, self.sink.retries());
                    within(&stopping, self.flush_if_quiet()).await?;
                    continue;
                }
            };
            match event {
                Event::Batch(_, chunk) => {
                    within(&stopping, self.write(chunk)).await?;
                    self.counters.backlog(0, self.inlet.waiting() as u64);
                    tokio::task::yield_now().await;
                }
                Event::Watermark(watermark) => self.counters.watermark(0, watermark),
                Event::Idle | Event::CaughtUp => {}
                Event::Barrier(epoch) => self.barrier(epoch).await?,
                Event::End => return Ok(()),
            }
        }
    }

    async fn flush_if_quiet(&mut self) -> Result<(), Fault> {
        if !self.is_dirty || self.exactly_once || self.inlet.waiting() > 0 {
            return Ok(());
        }
        self.is_dirty = !self.sink.settle().await?;
        Ok(())
    }

    async fn write(&mut self, chunk: Chunk) -> Result<(), Fault> {
        self.counters.add_in(chunk.changes());
        let began = Instant::now();
        let bad = self.written(&chunk).await?;
        self.counters.add_busy(began);
        self.counters.retries(0, self.sink.retries());
        let unwritten = bad.iter().filter(|bad| chunk.op(bad.row) != Op::UpdateBefore).count();
        self.counters.add_out(chunk.changes() - unwritten);
        self.is_dirty = true;
        if bad.is_empty() {
            return Ok(());
        }
        self.counters.add_bad(bad.len());
        let failed = bad.into_iter().map(|bad| FailedRow { row: bad.row, class: bad.class, message: bad.message });
        let bad = bad_records(&chunk, "encode", failed.collect::<Vec<_>>()).collect();
        self.failures.take(&self.counters.label, bad).await
    }

    async fn written(&mut self, chunk: &Chunk) -> Result<Vec<BadRow>, Fault> {
        let retries = self.failures.strategy().retries();
        let mut attempt = 0;
        loop {
            let rows = SinkRows { batch: chunk.batch.clone(), times: chunk.times.clone(), ops: chunk.ops.clone() };
            match self.sink.write(rows).await {
                Ok(bad) => return Ok(bad),
                Err(fault) => {
                    attempt += 1;
                    // A transaction that broke is not mended by its next row: the job begins again at its checkpoint.
                    if !retries || self.exactly_once || attempt >= ATTEMPTS || fault.blame != Blame::Connection {
                        return Err(fault);
                    }
                    self.counters.add_retry();
                    tracing::warn!(target: "velox::sql", attempt, "the sink is tried again: {fault}");
                    tokio::time::sleep(RETRIES.pause(attempt)).await;
                }
            }
        }
    }

    async fn barrier(&mut self, epoch: u64) -> Result<(), Fault> {
        let stopping = self.stopping.clone();
        within(&stopping, self.failures.flush()).await?;
        self.is_dirty = false;
        if !self.exactly_once {
            within(&stopping, self.sink.flush()).await?;
            self.reports.send(Report::Prepared { epoch, prepared: None }).await.ok();
            return Ok(());
        }
        let prepared = within(&stopping, self.sink.prepare(epoch)).await?;
        self.reports.send(Report::Prepared { epoch, prepared }).await.ok();
        // The coordinator's end is the job's: the token cuts this wait.
        let Some(commit) = self.commits.recv().await else { return std::future::pending().await };
        if let Some(prepared) = &commit.prepared {
            within(&stopping, self.sink.commit(commit.epoch, prepared)).await?;
        }
        self.reports.send(Report::Committed { epoch: commit.epoch }).await.ok();
        Ok(())
    }
}

/// What a step of the sink comes to, as long as its job is not to stop; from then on it has [`STOP_CONFIRM_MAX`].
async fn within<T>(stopping: &CancellationToken, step: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    within_some(STOP_CONFIRM_MAX, stopping, step).await
}

async fn within_some<T>(
    most: Duration,
    stopping: &CancellationToken,
    step: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let overdue = async {
        stopping.cancelled().await;
        tokio::time::sleep(most).await;
    };
    tokio::select! {
        biased;
        done = step => done,
        () = overdue => {
            let what = format!("what was written was not confirmed within {} of the stop", told(most));
            Err(Fault::new(Blame::Connection, what).next("what no checkpoint holds is written again where it goes on"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sink_that_confirms_nothing_holds_a_stop_up_for_so_long_and_no_longer() {
        let (stopping, most) = (CancellationToken::new(), Duration::from_millis(10));
        let slow = async {
            tokio::time::sleep(most * 5).await;
            Ok(())
        };
        assert_eq!(within_some(most, &stopping, slow).await, Ok(()), "nobody has asked it to stop");
        stopping.cancel();
        let never = std::future::pending::<Result<(), Fault>>();
        let refused = within_some(most, &stopping, never).await.map_err(|fault| (fault.blame, fault.what));
        assert_eq!(
            refused,
            Err((Blame::Connection, "what was written was not confirmed within 10 ms of the stop".into()))
        );
    }
}
