//! The two hands of a reader that blocks: a named thread that finds records and decodes them, an async caller that takes
//! batches. The thread waits while the caller is busy, and ends with the reader. It knows nothing of what is read.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use super::contract::{BATCH_ROWS_MAX, SourceRows};
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;

/// Batches that wait for the caller. Two keep both sides busy; more is only memory.
const BATCHES_WAITING: usize = 2;
/// Bytes of values in one batch: a few large records must not become [`BATCH_ROWS_MAX`] of them.
pub const BATCH_BYTES_MAX: u64 = 8 << 20;

/// What runs on the thread.
pub trait Worker: Send + 'static {
    /// Where it stands, as the caller is told with each batch.
    type Place: Send + 'static;

    /// The thread's name behind `velox-read-`.
    fn name(&self) -> String;
    /// The next that it has to hand over; `None` where a look brought nothing. Blocks for a moment at most.
    ///
    /// # Errors
    /// What ends the reader.
    fn look(&mut self, orders: &Orders) -> Result<Option<Handed<Self::Place>>, Fault>;
}

/// What a thread hands over.
#[derive(Debug)]
// There is one for thousands of rows: a box would buy nothing.
#[allow(clippy::large_enum_variant)]
pub enum Handed<P> {
    /// Rows, and where it stands behind them.
    Rows(SourceRows, P),
    /// Nothing is left to read for now.
    CaughtUp(P),
    /// Nothing will ever come again.
    End,
}

/// What the caller wants of the thread.
#[derive(Debug, Clone)]
pub struct Orders {
    stop: Arc<Stop>,
    rows_max: Arc<AtomicUsize>,
}

/// That the reader is gone, for those that look and for one that sleeps.
#[derive(Debug, Default)]
struct Stop {
    is_given: AtomicBool,
    gate: Mutex<()>,
    bell: Condvar,
}

impl Orders {
    /// Whether the reader is gone.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_given.load(Ordering::Acquire)
    }

    /// Sleeps for a time, or until the reader is gone: what it held is free at once.
    pub fn pause(&self, time: Duration) {
        let gate = self.stop.gate.hold();
        drop(self.stop.bell.wait_timeout_while(gate, time, |()| !self.is_stopped()));
    }

    fn stop(&self) {
        self.stop.is_given.store(true, Ordering::Release);
        // Whoever is about to sleep has looked before this, or looks after it.
        drop(self.stop.gate.hold());
        self.stop.bell.notify_all();
    }

    /// Rows of a batch at most; at least one.
    pub fn rows_max(&self) -> usize {
        self.rows_max.load(Ordering::Relaxed)
    }
}

/// The async side of a worker.
pub struct Hands<W: Worker> {
    /// Until the first batch is asked for: only then it is known how many rows one may have.
    waiting: Option<Box<W>>,
    inbox: Inbox<W::Place>,
    orders: Orders,
    is_over: bool,
}

impl<W: Worker> Hands<W> {
    /// A worker that has not begun.
    pub fn of(worker: Box<W>) -> Self {
        let (_, inbox) = mpsc::channel(1);
        let rows_max = Arc::new(AtomicUsize::new(BATCH_ROWS_MAX));
        let orders = Orders { stop: Arc::default(), rows_max };
        Self { waiting: Some(worker), inbox, orders, is_over: false }
    }

    /// What the thread has next; `None` where it has nothing within the wait. Behind the end there are only ends.
    ///
    /// # Errors
    /// What ended the thread.
    pub async fn next(&mut self, rows_max: usize, wait: Duration) -> Result<Option<Handed<W::Place>>, Fault> {
        if self.is_over {
            return Ok(Some(Handed::End));
        }
        self.orders.rows_max.store(rows_max.max(1), Ordering::Relaxed);
        if let Some(worker) = self.waiting.take() {
            self.inbox = start(worker, self.orders.clone())?;
        }
        let Ok(handed) = tokio::time::timeout(wait, self.inbox.recv()).await else { return Ok(None) };
        let handed = handed
            .unwrap_or_else(|| Err(Fault::new(Blame::Program, "the thread of a reader has ended without a word")));
        self.is_over = !matches!(handed, Ok(Handed::Rows(..) | Handed::CaughtUp(_)));
        handed.map(Some)
    }
}

impl<W: Worker> Drop for Hands<W> {
    fn drop(&mut self) {
        self.orders.stop();
    }
}

/// What a worker hands over, in its order.
type Inbox<P> = mpsc::Receiver<Result<Handed<P>, Fault>>;

fn start<W: Worker>(mut worker: Box<W>, orders: Orders) -> Result<Inbox<W::Place>, Fault> {
    let (outbox, inbox) = mpsc::channel(BATCHES_WAITING);
    let name = format!("velox-read-{}", worker.name());
    let run = move || {
        while !orders.is_stopped() {
            let Some(handed) = worker.look(&orders).transpose() else { continue };
            let is_last = matches!(handed, Ok(Handed::End) | Err(_));
            // Waits while the caller is busy: that is the backpressure. Fails when the reader is gone.
            if outbox.blocking_send(handed).is_err() || is_last {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name(name)
        .spawn(run)
        .map_err(|error| Fault::new(Blame::Program, format!("could not start a reader: {error}")))?;
    Ok(inbox)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{RecordBatch, RecordBatchOptions};
    use arrow::datatypes::Schema;

    use super::*;

    /// Counts down, and says when it is dropped.
    struct Countdown(u32, std::sync::mpsc::Sender<()>);

    impl Worker for Countdown {
        type Place = u32;
        fn name(&self) -> String {
            "countdown".into()
        }
        fn look(&mut self, orders: &Orders) -> Result<Option<Handed<u32>>, Fault> {
            if self.0 == 0 {
                return Ok(Some(Handed::End));
            }
            self.0 -= 1;
            let options = RecordBatchOptions::new().with_row_count(Some(orders.rows_max()));
            let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options).unwrap();
            let times = vec![0; batch.num_rows()].into();
            let rows = SourceRows { batch, times, ops: None, origins: None, bad: Vec::new(), skipped: 0, bytes: 0 };
            Ok(Some(Handed::Rows(rows, self.0)))
        }
    }

    impl Drop for Countdown {
        fn drop(&mut self) {
            self.1.send(()).ok();
        }
    }

    #[tokio::test]
    async fn batches_come_in_order_with_their_places_and_behind_the_end_there_are_only_ends() {
        let mut hands = Hands::of(Box::new(Countdown(3, std::sync::mpsc::channel().0)));
        let patience = Duration::from_secs(60);
        for expected in [2, 1, 0] {
            let Some(Handed::Rows(rows, place)) = hands.next(7, patience).await.unwrap() else { panic!("no rows") };
            assert_eq!((rows.batch.num_rows(), place), (7, expected));
        }
        for _ in 0..2 {
            assert!(matches!(hands.next(7, patience).await.unwrap(), Some(Handed::End)));
        }
    }

    #[tokio::test]
    async fn the_thread_ends_with_its_reader() {
        let (dropped, is_dropped) = std::sync::mpsc::channel();
        let mut hands = Hands::of(Box::new(Countdown(u32::MAX, dropped)));
        assert!(hands.next(1, Duration::from_secs(60)).await.unwrap().is_some());
        drop(hands);
        is_dropped.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}
