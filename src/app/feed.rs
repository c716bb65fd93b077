//! The way from jobs to the model, in two planes: lifecycle facts wait and are never lost; what is only looked at never waits
//! and is counted when it does not fit. So a frame costs what fits, never what a broker sends.

mod rows;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, mpsc, watch};

use super::fact::Fact;
use super::model::log::LogLine;
use super::model::pipeline::Pipeline;
use super::model::queries::QueryRow;
use super::model::tails::{TAIL_BYTES_MAX, TAIL_RECORDS_MAX};
use crate::core::job::{JobId, Phase, TailCounts, Update};
use crate::core::lock::WholeMutex;
use crate::core::progress::RunProgress;
use crate::core::record::Record;
use crate::core::ring::Ring;

use rows::RowsHeld;
pub use rows::TAP_ROWS_MAX;

/// Lifecycle facts under way: a few a job; a sender beyond waits for the next frame.
pub const LIFECYCLE_FACTS_MAX: usize = 64;
/// Log lines under way to the next frame.
pub const TAP_LOG_LINES_MAX: usize = 1_000;

/// The reading end, owned by the loop.
pub struct Feed {
    lifecycle: mpsc::Receiver<Fact>,
    shared: Arc<Shared>,
}

/// The writing end; every clone writes to the same feed.
#[derive(Clone)]
pub struct Intake {
    lifecycle: mpsc::Sender<Fact>,
    shared: Arc<Shared>,
}

/// The writing end of one job.
#[derive(Clone)]
pub struct Outlet {
    job: JobId,
    intake: Intake,
    tap: Arc<Tap>,
    counts: watch::Sender<TailCounts>,
    progress: watch::Sender<Arc<RunProgress>>,
    pipeline: watch::Sender<Arc<Pipeline>>,
}

struct Shared {
    /// Whether something came since the last drain: `ready` is woken once, not once a record.
    pending: AtomicBool,
    ready: Notify,
    taps: Mutex<BTreeMap<JobId, Receiving>>,
    /// Records of one job under way to the next frame: as many as its view keeps. So what gives way here is what the view
    /// would forget in the same frame, and a burst that the view has room for reaches it whole.
    records_max: usize,
    log: Mutex<Ring<LogLine>>,
}

struct Receiving {
    tap: Arc<Tap>,
    counts: watch::Receiver<TailCounts>,
    progress: watch::Receiver<Arc<RunProgress>>,
    pipeline: watch::Receiver<Arc<Pipeline>>,
}

#[derive(Default)]
struct Tap {
    records: Mutex<Held>,
    rows: Mutex<RowsHeld>,
}

#[derive(Default)]
struct Held {
    records: VecDeque<Record>,
    bytes: usize,
    skipped: u64,
}

/// A feed for views of [`TAIL_RECORDS_MAX`] records, and its writing end.
pub fn feed() -> (Intake, Feed) {
    feed_of(TAIL_RECORDS_MAX)
}

/// A feed for views of `records_max` records, and its writing end.
pub fn feed_of(records_max: usize) -> (Intake, Feed) {
    let (sender, receiver) = mpsc::channel(LIFECYCLE_FACTS_MAX);
    let shared = Arc::new(Shared {
        pending: AtomicBool::new(false),
        ready: Notify::new(),
        taps: Mutex::new(BTreeMap::new()),
        records_max: records_max.max(1),
        log: Mutex::new(Ring::new(TAP_LOG_LINES_MAX)),
    });
    (Intake { lifecycle: sender, shared: shared.clone() }, Feed { lifecycle: receiver, shared })
}

impl Feed {
    /// Waits until there is something to drain.
    pub async fn ready(&self) {
        while !self.shared.pending.load(Ordering::Acquire) && self.lifecycle.is_empty() {
            self.shared.ready.notified().await;
        }
    }

    /// Whether there is something to drain.
    pub fn is_pending(&self) -> bool {
        self.shared.pending.load(Ordering::Acquire) || !self.lifecycle.is_empty()
    }

    /// Takes everything that came: what is looked at first, so that a job's ending follows its last records and counts.
    pub fn drain(&mut self) -> Vec<Fact> {
        self.shared.pending.store(false, Ordering::Release);
        let mut lifecycle = Vec::new();
        while let Ok(fact) = self.lifecycle.try_recv() {
            lifecycle.push(fact);
        }
        let mut facts = Vec::with_capacity(lifecycle.len() + 8);
        let mut taps = self.shared.taps.hold();
        for (job, receiving) in taps.iter_mut() {
            receiving.take(*job, &mut facts);
        }
        for fact in &lifecycle {
            if let Fact::Job(Update::Phase(job, phase)) = fact
                && phase.is_ending()
            {
                taps.remove(job);
            }
        }
        drop(taps);
        let mut log = self.shared.log.hold();
        if !log.is_empty() {
            let skipped = log.dropped();
            let lines = log.drain().collect();
            *log = Ring::new(TAP_LOG_LINES_MAX);
            facts.push(Fact::Log { lines, skipped });
        }
        facts.append(&mut lifecycle);
        facts
    }
}

impl Receiving {
    fn take(&mut self, job: JobId, facts: &mut Vec<Fact>) {
        let mut held = self.tap.records.hold();
        if !held.records.is_empty() || 0 < held.skipped {
            let records = held.records.drain(..).collect();
            let skipped = std::mem::take(&mut held.skipped);
            held.bytes = 0;
            facts.push(Fact::Job(Update::Records { job, records, skipped }));
        }
        drop(held);
        if let Some((rows, skipped)) = self.tap.rows.hold().take() {
            facts.push(Fact::QueryRows { job, rows, skipped });
        }
        // What a job told last is asked of the value: a channel whose job has ended says that nothing has changed.
        let counts = self.counts.borrow_and_update();
        if counts.has_changed() {
            facts.push(Fact::Job(Update::Tail(job, *counts)));
        }
        drop(counts);
        let progress = self.progress.borrow_and_update();
        if progress.has_changed() {
            facts.push(Fact::Job(Update::Run(job, progress.clone())));
        }
        drop(progress);
        let pipeline = self.pipeline.borrow_and_update();
        if pipeline.has_changed() {
            facts.push(Fact::Pipeline { job, pipeline: pipeline.clone() });
        }
    }
}

impl Intake {
    /// Opens the way for a job. It is closed when the job's ending has been drained.
    pub fn outlet(&self, job: JobId) -> Outlet {
        let tap = Arc::new(Tap::default());
        let (counts, counts_in) = watch::channel(TailCounts::default());
        let (progress, progress_in) = watch::channel(Arc::new(RunProgress::default()));
        let (pipeline, pipeline_in) = watch::channel(Arc::new(Pipeline::default()));
        let receiving = Receiving { tap: tap.clone(), counts: counts_in, progress: progress_in, pipeline: pipeline_in };
        self.shared.taps.hold().insert(job, receiving);
        Outlet { job, intake: self.clone(), tap, counts, progress, pipeline }
    }

    /// Sends a lifecycle fact; waits while the queue is full. Nothing happens when the console is gone.
    pub async fn tell(&self, fact: Fact) {
        if self.lifecycle.send(fact).await.is_ok() {
            self.shared.wake();
        }
    }

    /// Adds a log line; never waits. The oldest line under way gives way and is counted.
    pub fn log(&self, line: LogLine) {
        self.shared.log.hold().push(line);
        self.shared.wake();
    }
}

impl Outlet {
    /// The job it belongs to.
    pub fn job(&self) -> JobId {
        self.job
    }

    /// The feed itself, for facts that are not this job's.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Sends a step of the job's life; waits while the queue is full.
    pub async fn phase(&self, phase: Phase) {
        self.intake.tell(Fact::Job(Update::Phase(self.job, phase))).await;
    }

    /// Sends another lifecycle fact; waits while the queue is full.
    pub async fn tell(&self, fact: Fact) {
        self.intake.tell(fact).await;
    }

    /// Records of one frame: more would not be seen.
    pub fn records_max(&self) -> usize {
        self.intake.shared.records_max
    }

    /// Shows records, oldest first; never waits. The oldest under way give way and are counted as skipped.
    pub fn show(&self, records: impl IntoIterator<Item = Record>) {
        let mut held = self.tap.records.hold();
        for record in records {
            held.push(record, self.records_max());
        }
        drop(held);
        self.intake.shared.wake();
    }

    /// Counts records that were not even copied for the view.
    pub fn skip(&self, records: u64) {
        self.tap.records.hold().skipped += records;
        self.intake.shared.wake();
    }

    /// Shows rows of a query, oldest first, and counts those that were not even written out for the view; never waits. What
    /// does not fit gives way and is counted as skipped.
    pub fn show_rows(&self, rows: impl IntoIterator<Item = QueryRow>, skipped: u64) {
        let mut held = self.tap.rows.hold();
        rows.into_iter().for_each(|row| held.push(row));
        held.skip(skipped);
        drop(held);
        self.intake.shared.wake();
    }

    /// Replaces what is known of the operators of a job.
    pub fn pipeline(&self, pipeline: Arc<Pipeline>) {
        self.pipeline.send_replace(pipeline);
        self.intake.shared.wake();
    }

    /// Replaces the counters of a tail.
    pub fn counts(&self, counts: TailCounts) {
        self.counts.send_replace(counts);
        self.intake.shared.wake();
    }

    /// Replaces the progress of a run.
    pub fn progress(&self, progress: Arc<RunProgress>) {
        self.progress.send_replace(progress);
        self.intake.shared.wake();
    }
}

impl Held {
    fn push(&mut self, record: Record, records_max: usize) {
        self.bytes += record.held_bytes();
        self.records.push_back(record);
        while records_max < self.records.len() || (TAIL_BYTES_MAX < self.bytes && 1 < self.records.len()) {
            if let Some(oldest) = self.records.pop_front() {
                self.bytes -= oldest.held_bytes();
                self.skipped += 1;
            }
        }
    }
}

impl Shared {
    fn wake(&self) {
        if !self.pending.swap(true, Ordering::AcqRel) {
            self.ready.notify_one();
        }
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
