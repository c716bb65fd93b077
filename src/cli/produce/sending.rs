//! Feeds a producer from the pieces of an input, as fast as it takes them. Every piece that was read ends in exactly
//! one count: acknowledged, failed (by cause), not sent.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::form::Form;
use super::pieces::Pieces;
use crate::core::lock::WholeMutex;
use crate::core::progress::CAUSES_MAX;
use crate::core::record::{Delivery, Message};
use crate::kafka::cause::SendFault;
use crate::kafka::producer::{EnqueueFault, Outgoing, Producer, Receipts};

/// Pieces that are no message and are told one by one; more would hide the first.
const BAD_PIECES_TOLD_MAX: u64 = 10;
/// A full queue has room again in less than this.
const QUEUE_PAUSE: Duration = Duration::from_millis(1);
/// How late a stop is seen while waiting for the next moment of a rate.
const PACE_SLICE: Duration = Duration::from_millis(50);

/// What became of the pieces; receipts arrive here.
#[derive(Debug, Default)]
pub struct Tally {
    read: AtomicU64,
    acknowledged: AtomicU64,
    failed: AtomicU64,
    not_sent: AtomicU64,
    bytes: AtomicU64,
    causes: Mutex<BTreeMap<String, u64>>,
    stops_at_failure: bool,
    stopping: AtomicBool,
    /// Held while a piece is being handled: who holds it and has set `stopping` knows that nothing more is taken.
    gate: Mutex<()>,
}

/// The counts of a moment. `read` is the sum of the other three once everything has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Pieces read.
    pub read: u64,
    /// Confirmed by the broker.
    pub acknowledged: u64,
    /// No message, refused or not confirmed.
    pub failed: u64,
    /// Read when the stop came, and not sent.
    pub not_sent: u64,
    /// Bytes of the acknowledged.
    pub bytes: u64,
}

impl Tally {
    /// A tally; `stops_at_failure` ends the reading at the first failure.
    pub fn new(stops_at_failure: bool) -> Self {
        Self { stops_at_failure, ..Self::default() }
    }

    /// The counts now.
    pub fn counts(&self) -> Counts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        Counts {
            acknowledged: count(&self.acknowledged),
            failed: count(&self.failed),
            not_sent: count(&self.not_sent),
            bytes: count(&self.bytes),
            read: count(&self.read),
        }
    }

    /// Failures by cause.
    pub fn causes(&self) -> BTreeMap<String, u64> {
        self.causes.hold().clone()
    }

    /// Ends the reading. A piece that waits for room in the queue counts as not sent.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Ends the reading and returns when no piece is being handled: from then on only receipts change the counts.
    pub fn close(&self) {
        self.stop();
        drop(self.gate.hold());
    }

    /// Whether the reading is to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn fail(&self, cause: &str) {
        let mut causes = self.causes.hold();
        let known = causes.len() < CAUSES_MAX || causes.contains_key(cause);
        *causes.entry(if known { cause } else { "other" }.to_owned()).or_default() += 1;
        self.failed.fetch_add(1, Ordering::AcqRel);
        if self.stops_at_failure {
            self.stop();
        }
    }
}

impl Receipts for Tally {
    /// Bytes of the message.
    type Ticket = u64;

    fn settled(&self, bytes: u64, outcome: Result<Delivery, SendFault>) {
        match outcome {
            Ok(_) => {
                self.bytes.fetch_add(bytes, Ordering::AcqRel);
                self.acknowledged.fetch_add(1, Ordering::AcqRel);
            }
            Err(fault) => self.fail(&fault.cause.to_string()),
        }
    }
}

/// Reads pieces and enqueues messages until the input ends or the tally says stop. Blocks: it has a thread of its own.
pub fn feed<R: BufRead>(
    pieces: Pieces<R>,
    form: &Form,
    (producer, tally): (&Producer<Tally>, &Arc<Tally>),
    rate: Option<u32>,
    limit: Option<u64>,
) -> io::Result<()> {
    let mut pace = rate.map(Pace::new);
    let mut bad = 0;
    for (number, piece) in (1_u64..).zip(pieces) {
        let piece = piece?;
        let _gate = tally.gate.hold();
        if tally.is_stopping() {
            // It was read after the stop: it belongs to whoever reads on.
            return Ok(());
        }
        tally.read.fetch_add(1, Ordering::AcqRel);
        match form.message(&piece) {
            Ok(message) => send(&message, producer, tally, pace.as_mut()),
            Err(why) => {
                bad += 1;
                if bad <= BAD_PIECES_TOLD_MAX {
                    tracing::warn!("line {number}: {why}");
                }
                tally.fail("not a message");
            }
        }
        if limit.is_some_and(|limit| number >= limit) || tally.is_stopping() {
            return Ok(());
        }
    }
    Ok(())
}

fn send(message: &Message, producer: &Producer<Tally>, tally: &Tally, pace: Option<&mut Pace>) {
    if pace.is_some_and(|pace| !pace.wait(tally)) {
        tally.not_sent.fetch_add(1, Ordering::AcqRel);
        return;
    }
    let headers: Vec<(&str, Option<&[u8]>)> =
        message.headers.iter().map(|(name, value)| (&**name, value.as_deref())).collect();
    let outgoing = Outgoing {
        topic: &message.topic,
        partition: message.partition,
        timestamp_ms: message.timestamp_ms,
        key: message.key.as_deref(),
        value: message.value.as_deref(),
        headers: &headers,
    };
    let mut ticket = message.bytes() as u64;
    loop {
        match producer.enqueue(outgoing, ticket) {
            Ok(()) => return,
            Err((EnqueueFault::Refused(fault), _)) => return tally.fail(&fault.cause.to_string()),
            Err((EnqueueFault::QueueFull, _)) if tally.is_stopping() => {
                tally.not_sent.fetch_add(1, Ordering::AcqRel);
                return;
            }
            Err((EnqueueFault::QueueFull, back)) => {
                ticket = back;
                std::thread::sleep(QUEUE_PAUSE);
            }
        }
    }
}

/// Moments at an even rate. A pause of the input is not made up for by a burst of more than a second.
struct Pace {
    step: Duration,
    next: Instant,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        Self { step: Duration::from_secs(1) / per_second.max(1), next: Instant::now() }
    }

    /// Waits for the next moment; false when the stop came first.
    fn wait(&mut self, tally: &Tally) -> bool {
        let behind = Duration::from_secs(1);
        self.next = self.next.max(Instant::now().checked_sub(behind).unwrap_or(self.next));
        loop {
            let left = self.next.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.next += self.step;
                return true;
            }
            if tally.is_stopping() {
                return false;
            }
            std::thread::sleep(left.min(PACE_SLICE));
        }
    }
}
