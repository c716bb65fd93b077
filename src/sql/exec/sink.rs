//! The task of the sink: writes what comes, prepares at each barrier, and makes visible what is durable. Between
//! prepare and commit it takes no row.

use std::sync::Arc;
use std::time::Instant;

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
use crate::core::fault::{Blame, Fault};

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
            Ok(()) => self.sink.close(true).await,
            Err(fault) => {
                self.sink.close(false).await.ok();
                Err(fault)
            }
        }
    }

    async fn work(&mut self) -> Result<(), Fault> {
        let mut ticks = ticks();
        loop {
            let event = tokio::select! {
                biased;
                event = self.inlet.next() => event,
                // Nothing came since the last tick: what is written is to be seen.
                _ = ticks.tick() => {
                    self.counters.backlog(0, 0);
                    self.counters.retries(0, self.sink.retries());
                    self.flush_if_quiet().await?;
                    continue;
                }
            };
            match event {
                Event::Batch(_, chunk) => {
                    self.write(chunk).await?;
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
        self.failures.flush().await?;
        self.is_dirty = false;
        if !self.exactly_once {
            self.sink.flush().await?;
            self.reports.send(Report::Prepared { epoch, prepared: None }).await.ok();
            return Ok(());
        }
        let prepared = self.sink.prepare(epoch).await?;
        self.reports.send(Report::Prepared { epoch, prepared }).await.ok();
        // The coordinator's end is the job's: the token cuts this wait.
        let Some(commit) = self.commits.recv().await else { return std::future::pending().await };
        if let Some(prepared) = &commit.prepared {
            self.sink.commit(commit.epoch, prepared).await?;
        }
        self.reports.send(Report::Committed { epoch: commit.epoch }).await.ok();
        Ok(())
    }
}
