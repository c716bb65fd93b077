//! The task of a fragment between others: reads its inlet, drives its chain, sends what comes of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};

use super::chain::{Chain, Given};
use super::chunk::Message;
use super::exchange::Outlets;
use super::failures::Failures;
use super::inlet::{Event, Inlet};
use super::report::Report;
use crate::clock::now_ms;
use crate::core::fault::Fault;

/// Between two ticks of an operator: half of what a person notices.
pub const TICK: Duration = Duration::from_millis(50);

/// A fragment's instance at work.
pub struct Worker {
    /// What comes.
    pub inlet: Inlet,
    /// What is done.
    pub work: Work,
}

/// A chain with its ways out; what workers and the lanes of sources have in common.
pub struct Work {
    /// The operators.
    pub chain: Chain,
    /// Where rows go.
    pub outlets: Outlets,
    /// What happens to bad ones.
    pub failures: Arc<Failures>,
    /// Where to report.
    pub reports: mpsc::Sender<Report>,
    /// The watermark that was sent on.
    pub watermark: i64,
}

impl Worker {
    /// Works until all inputs have ended.
    ///
    /// # Errors
    /// What ends the job.
    pub async fn run(mut self) -> Result<(), Fault> {
        let mut ticks = ticks();
        loop {
            let event = tokio::select! {
                biased;
                _ = ticks.tick() => {
                    self.work.chain.waits(self.inlet.waiting());
                    self.inlet.passes_time();
                    self.work.tick().await?;
                    continue;
                }
                event = self.inlet.next() => event,
            };
            match event {
                Event::Batch(port, chunk) => {
                    self.work.push(port, chunk).await?;
                    // Rows that wait already must not keep other tasks of this thread from theirs.
                    tokio::task::yield_now().await;
                }
                Event::Watermark(watermark) => self.work.rise(watermark).await?,
                Event::Idle => self.work.outlets.send(Message::Idle).await?,
                Event::CaughtUp => self.work.caught_up().await?,
                Event::Barrier(epoch) => self.work.barrier(epoch, None).await?,
                Event::End => return self.work.outlets.send(Message::End).await,
            }
        }
    }
}

impl Work {
    /// Rows of a port.
    pub async fn push(&mut self, port: usize, chunk: super::chunk::Chunk) -> Result<(), Fault> {
        let mut given = Given::default();
        self.chain.push(port, chunk, &mut given)?;
        while self.chain.has_more() {
            self.send(std::mem::take(&mut given)).await?;
            // What nobody waits for is sent at once: a job that is to end must be heard even so.
            tokio::task::yield_now().await;
            self.chain.go_on(&mut given)?;
        }
        self.send(given).await
    }

    /// A risen watermark.
    pub async fn rise(&mut self, watermark: i64) -> Result<(), Fault> {
        let mut given = Given::default();
        let watermark = self.chain.watermark(watermark, &mut given)?;
        self.send(given).await?;
        if watermark > self.watermark {
            self.watermark = watermark;
            self.outlets.send(Message::Watermark(watermark)).await?;
        }
        Ok(())
    }

    /// The clock.
    pub async fn tick(&mut self) -> Result<(), Fault> {
        let mut given = Given::default();
        self.chain.tick(now_ms(), &mut given)?;
        self.send(given).await
    }

    /// What lay there when the job began has been read.
    pub async fn caught_up(&mut self) -> Result<(), Fault> {
        let mut given = Given::default();
        self.chain.caught_up(&mut given)?;
        self.send(given).await?;
        self.outlets.send(Message::CaughtUp).await
    }

    /// A barrier: the state as of now, and on with it.
    pub async fn barrier(
        &mut self,
        epoch: u64,
        lane: Option<crate::sql::state::manifest::LaneState>,
    ) -> Result<(), Fault> {
        let states = self.chain.snapshot()?;
        // What the checkpoint covers must not be lost among the dead letters either.
        self.failures.flush().await?;
        self.reports.send(Report::Snapshot { epoch, lane, states }).await.ok();
        self.outlets.send(Message::Barrier(epoch)).await
    }

    async fn send(&mut self, given: Given) -> Result<(), Fault> {
        for chunk in given.chunks {
            self.outlets.send(Message::Batch(chunk)).await?;
        }
        for (counters, bad) in given.bad {
            self.failures.take(&counters.label, bad).await?;
        }
        for node in given.done {
            self.reports.send(Report::Done { node }).await.ok();
        }
        Ok(())
    }
}

/// Ticks that do not catch up with what they missed.
pub fn ticks() -> Interval {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
