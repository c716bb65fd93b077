//! Tails behind a bounded queue: one named thread a topic reads, an async caller takes. The threads end with the reader.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;
use crate::core::record::Record;

use super::admin::off_the_async_threads;
use super::health::unless_refused;
use super::settings::Connection;
use super::tail::{BATCH_BYTES_MAX, Batch, Tail, TailSettings};

/// Batches that wait for the caller. Two keep both sides busy; more is only memory.
const BATCHES_WAITING: usize = 2;
/// Records of a batch: a few milliseconds of reading at full speed.
const BATCH_RECORDS: usize = 4_096;
/// How long a batch without records may be in coming; it still carries troubles and the lag.
const BATCH_WAIT: Duration = Duration::from_millis(250);

/// Bytes that records given back may hold on the heap, a batch: some of them grew large once, and would stay so.
const SPARE_BYTES_MAX: usize = 2 * BATCH_BYTES_MAX;

/// Records given back by the caller, for whichever thread is next.
type Spares = Arc<Mutex<Vec<Vec<Record>>>>;

/// Several topics, read by threads of their own. Dropping it stops them; they notice within a twentieth of a second.
pub struct TailReader {
    inbox: mpsc::Receiver<(usize, Result<Batch, Fault>)>,
    is_stopped: Arc<AtomicBool>,
    spares: Spares,
    at_end: Vec<bool>,
    lags: Vec<Option<u64>>,
    lefts: Vec<u64>,
}

impl TailReader {
    /// Opens the topics and begins to read.
    ///
    /// # Errors
    /// As [`Tail::open`].
    pub async fn open(
        connection: &Connection,
        topics: &[String],
        settings: &TailSettings,
        timeout: Duration,
    ) -> Result<Self, Fault> {
        let (outbox, inbox) = mpsc::channel(BATCHES_WAITING);
        let is_stopped = Arc::new(AtomicBool::new(false));
        let mut reader = Self {
            inbox,
            is_stopped: is_stopped.clone(),
            spares: Spares::default(),
            at_end: vec![false; topics.len()],
            lags: vec![None; topics.len()],
            lefts: vec![0; topics.len()],
        };
        for (index, topic) in topics.iter().enumerate() {
            let (connection, topic, settings) = (connection.clone(), topic.clone(), settings.clone());
            let opening = off_the_async_threads({
                let connection = connection.clone();
                move || Tail::open(&connection, &topic, &settings, timeout)
            });
            let tail = unless_refused(&connection, opening).await?;
            reader.lefts[index] = tail.left();
            let (outbox, is_stopped, spares) = (outbox.clone(), is_stopped.clone(), reader.spares.clone());
            std::thread::Builder::new()
                .name(format!("velox-tail-{}", tail.topic()))
                .spawn(move || read(tail, index, &outbox, &is_stopped, &spares))
                .map_err(|error| Fault::new(Blame::Program, format!("could not start a tail: {error}")))?;
        }
        Ok(reader)
    }

    /// The next batch of any topic, its `at_end`, `lag` and `left` over all topics. Comes at least every quarter of a second,
    /// empty if need be; `None` when every topic's thread has ended. Safe to drop halfway (`select!`).
    ///
    /// # Errors
    /// What ended one topic: refused credentials, no permission, a topic that is gone.
    pub async fn next(&mut self) -> Option<Result<Batch, Fault>> {
        let (index, batch) = self.inbox.recv().await?;
        Some(batch.map(|mut batch| {
            self.at_end[index] = batch.at_end;
            self.lags[index] = batch.lag;
            self.lefts[index] = batch.left;
            batch.at_end = self.at_end.iter().all(|at_end| *at_end);
            batch.lag = self.lags.iter().copied().sum();
            batch.left = self.lefts.iter().sum();
            batch
        }))
    }

    /// Takes back records that the caller has done with, so that their buffers are filled again: a reader that copies a
    /// topic elsewhere then allocates nothing a record.
    pub fn reuse(&self, records: Vec<Record>) {
        let held = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::capacity);
        let of_headers = |record: &Record| record.headers.iter().map(|(_, value)| held(value)).sum::<usize>();
        let held = |record: &Record| held(&record.key) + held(&record.value) + of_headers(record);
        if SPARE_BYTES_MAX < records.iter().map(held).sum() {
            return;
        }
        let mut spares = self.spares.hold();
        if spares.len() < BATCHES_WAITING {
            spares.push(records);
        }
    }
}

impl Drop for TailReader {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Release);
    }
}

fn read(
    mut tail: Tail,
    index: usize,
    outbox: &mpsc::Sender<(usize, Result<Batch, Fault>)>,
    is_stopped: &AtomicBool,
    spares: &Mutex<Vec<Vec<Record>>>,
) {
    let stopped = || is_stopped.load(Ordering::Acquire);
    while !stopped() {
        if let Some(records) = spares.hold().pop() {
            tail.reuse(records);
        }
        let batch = tail.next_batch(BATCH_RECORDS, BATCH_WAIT, stopped);
        let is_ended = batch.is_err();
        // Waits while the caller is busy: that is the backpressure. Fails when the reader is gone.
        if outbox.blocking_send((index, batch)).is_err() || is_ended {
            return;
        }
    }
}
