//! A renderer: takes batches from the schedule, renders them and hands them to the producers in the order of their
//! indices. It runs on a blocking thread, waits where a queue is full, and ends when nothing is left or the run is halted.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::clock::now_ms;
use crate::core::lock::WholeMutex;
use crate::core::record::Message;
use crate::etl::context::{Moving, Stamp};
use crate::kafka::producer::{EnqueueFault, Outgoing};

use super::desk::{Desk, record_bytes};
use super::lane::{Lane, Slot};
use super::ledger::{Cause, Ledger, NotSent};
use super::render::{Batch, Material, Rendered, cause_of};
use super::retry::Retry;
use super::schedule::{self, Claim, Next, Schedule, World};
use super::steps::Steps;
use super::ticket::Ticket;
use super::{OnEvent, RunEvent};

/// Events in flight on one connection before its pairs wait: half a second at full speed, so that what a stop must still
/// finish stays small. It is below what the queue of a single producer takes.
pub const IN_FLIGHT_MAX: u64 = 50_000;
/// Bytes in flight on one connection before its pairs wait: half of what the queue of a single producer takes.
pub const IN_FLIGHT_BYTES_MAX: u64 = 64 << 20;
/// Sleep while a producer's queue is full, or until the last events come back.
const PAUSE: Duration = Duration::from_millis(1);
/// Longest wait for a batch's turn before a halt is looked for.
const TURN_SLICE: Duration = Duration::from_millis(20);

/// What all renderers of a run share.
pub struct Floor {
    /// The accounts.
    pub ledger: Arc<Ledger>,
    /// Who makes what next.
    pub schedule: Mutex<Schedule>,
    /// Ways out.
    pub lanes: Vec<Lane>,
    /// Pairs in plan order.
    pub pairs: Vec<FloorPair>,
    /// Told when a lane is wanted for the first time.
    pub wanted: Notify,
    /// Sees every rendered event, if anybody asked.
    pub on_event: Option<OnEvent>,
    /// A batch that is not full goes after this.
    pub batch_timeout: Duration,
}

/// A pair on the floor.
pub struct FloorPair {
    /// Index of its lane.
    pub lane: usize,
    /// ETL, for whoever sees events.
    pub etl: String,
    /// Environment, for whoever sees events.
    pub environment: Arc<str>,
    /// Templates and context, or why they do not compile.
    pub material: Result<Material, Cause>,
    /// Whose turn it is to hand over.
    pub turns: Turns,
}

/// Batches of one pair go out in order, whoever rendered them.
#[derive(Default)]
pub struct Turns {
    next: Mutex<u64>,
    moved: Condvar,
}

impl Turns {
    /// Waits for a turn; the turn ends when what is returned is dropped, even by a panic. A halt ends the waiting: the
    /// renderer whose turn comes first may have panicked, and then its turn never ends.
    fn wait(&self, turn: u64, ledger: &Ledger) -> Result<Turn<'_>, NotSent> {
        let mut next = self.next.hold();
        while *next != turn {
            if let Some(why) = ledger.halted() {
                return Err(why);
            }
            next = self.moved.wait_timeout(next, TURN_SLICE).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(Turn(self))
    }
}

struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.next.hold() += 1;
        self.0.moved.notify_all();
    }
}

impl World for Floor {
    fn lane(&self, lane: usize) -> schedule::Lane {
        let in_flight = self.ledger.in_flight(lane);
        let heavy = in_flight > 0
            && self
                .pairs
                .iter()
                .enumerate()
                .filter(|(_, pair)| pair.lane == lane)
                .any(|(pair, _)| self.ledger.typical_bytes(pair).saturating_mul(in_flight) > IN_FLIGHT_BYTES_MAX);
        match self.lanes[lane].is_open() && in_flight < IN_FLIGHT_MAX && !heavy {
            true => schedule::Lane::Open,
            false => schedule::Lane::Busy,
        }
    }

    fn has_ended(&self, pair: usize) -> bool {
        self.ledger.has_ended(pair)
    }

    fn begun(&self, pair: usize, now: Instant) {
        self.ledger.begun(pair, now);
        if self.lanes[self.pairs[pair].lane].want() {
            self.wanted.notify_one();
        }
    }

    fn timed_out(&self, pair: usize, events: u64) {
        self.ledger.not_sent(pair, events, NotSent::TimedOut);
    }
}

impl Floor {
    /// Renders and hands over until every event has ended or the run is halted; gives back the times it took, by pair.
    pub fn work(&self) -> Vec<Steps> {
        let mut worker = Worker {
            floor: self,
            batch: Batch::default(),
            moving: None,
            steps: vec![Steps::default(); self.pairs.len()],
        };
        while self.ledger.halted().is_none() {
            worker.resend();
            let next = {
                let mut schedule = self.schedule.hold();
                schedule.next(Instant::now(), self)
            };
            match next {
                Next::Make(claim) => worker.make(&claim),
                Next::Wait(pause) => std::thread::sleep(pause),
                Next::AllClaimed if self.ledger.open() == 0 => break,
                Next::AllClaimed => {
                    self.lanes.iter().flat_map(Lane::slots).for_each(|slot| slot.outbound.hurry());
                    std::thread::sleep(PAUSE);
                }
            }
        }
        worker.steps
    }

    fn slot(&self, lane: usize, place: usize, topic: &str) -> Result<&Slot, Cause> {
        self.lanes[lane]
            .slot(place, topic, || Arc::new(Desk::new(Arc::clone(&self.ledger), lane, place)))
            .map_err(|fault| Cause::from(&fault))
    }
}

struct Worker<'run> {
    floor: &'run Floor,
    batch: Batch,
    moving: Option<Moving>,
    steps: Vec<Steps>,
}

impl Worker<'_> {
    /// Makes a claim's events, in batches that go when full or old.
    fn make(&mut self, claim: &Claim) {
        let floor = self.floor;
        let pair = &floor.pairs[claim.pair];
        let Ok(material) = &pair.material else { return };
        let mut turn = None;
        let mut next = claim.range.start;
        while next < claim.range.end {
            next = self.render(claim.pair, material, next..claim.range.end);
            let rendered_at = Instant::now();
            if turn.is_none() {
                match pair.turns.wait(claim.turn, &floor.ledger) {
                    Ok(mine) => turn = Some(mine),
                    Err(why) => {
                        let left = self.batch.len() as u64 + (claim.range.end - next);
                        return floor.ledger.not_sent(claim.pair, left, why);
                    }
                }
            }
            self.hand_over(claim, pair, material, rendered_at);
        }
    }

    /// Renders until the range ends, the batch is old or the run is halted; gives back the first index not touched.
    fn render(&mut self, pair: usize, material: &Material, range: std::ops::Range<u64>) -> u64 {
        self.batch.clear();
        // A batch is over before the two clocks part, so one of them is read for each event.
        let (began, began_ms) = (Instant::now(), now_ms());
        let mut last = began;
        let moving = self.moving.get_or_insert_with(|| Moving::new(Arc::clone(&material.shared), Stamp::new(began_ms)));
        for index in range.clone() {
            if let Some(why) = self.floor.ledger.halted() {
                self.floor.ledger.not_sent(pair, range.end - index, why);
                return range.end;
            }
            let passed_ms = i64::try_from((last - began).as_millis()).unwrap_or_default();
            let outcome = self.batch.add(material, moving, index, began_ms + passed_ms);
            let now = Instant::now();
            match outcome {
                Ok(()) => self.steps[pair].render.record_ns(nanoseconds(now - last)),
                Err(fault) => self.floor.ledger.failed(pair, 1, &cause_of(&fault)),
            }
            last = now;
            if now - began >= self.floor.batch_timeout {
                return index + 1;
            }
        }
        range.end
    }

    fn hand_over(&mut self, claim: &Claim, pair: &FloorPair, material: &Material, rendered_at: Instant) {
        let (floor, ledger) = (self.floor, &*self.floor.ledger);
        ledger.departs(pair.lane, self.batch.len() as u64);
        let names: Vec<&str> = material.templates.header_names().collect();
        let mut headers: Vec<(&str, Option<&[u8]>)> = Vec::with_capacity(names.len());
        let (mut sent_bytes, mut stopped) = (0, None);
        for event in self.batch.events() {
            if let Some(why) = stopped {
                ledger.returns(pair.lane, 1);
                ledger.not_sent(claim.pair, 1, why);
                continue;
            }
            headers.clear();
            headers.extend(names.iter().copied().zip(event.header_values().map(Some)));
            let record = outgoing(material, &event, &headers);
            if let Some(on_event) = &floor.on_event {
                on_event(&RunEvent { etl: &pair.etl, environment: &pair.environment, index: event.index, record });
            }
            let bytes = record_bytes(&record);
            // Entered before it goes: the answer may come before `enqueue` returns.
            ledger.sent(claim.pair, 1, bytes);
            let place = floor.lanes[pair.lane].place_of(event.key, claim.turn);
            let place = material.partition.filter(|_| event.key.is_none()).map_or(place, |_| 0);
            match self.enqueue(claim.pair, pair.lane, place, record, 0) {
                Sent::Taken => sent_bytes += bytes,
                Sent::Failed(cause) => {
                    ledger.failed_after_sending(claim.pair, bytes, &cause);
                    ledger.returns(pair.lane, 1);
                }
                Sent::Halted(why) => {
                    ledger.unsent(claim.pair, bytes);
                    ledger.returns(pair.lane, 1);
                    ledger.not_sent(claim.pair, 1, why);
                    stopped = Some(why);
                }
            }
        }
        if sent_bytes > 0 {
            // One time for the batch's events: a clock reading for each would cost more than it tells.
            let waited = nanoseconds(rendered_at.elapsed());
            self.steps[claim.pair].queue.record_ns_of(waited, self.batch.len() as u64);
        }
    }

    /// Waits while the queue is full, unless the run is halted.
    fn enqueue(&self, pair: usize, lane: usize, place: usize, record: Outgoing<'_>, attempt: u32) -> Sent {
        let ledger = &*self.floor.ledger;
        let slot = match self.floor.slot(lane, place, record.topic) {
            Ok(slot) => slot,
            Err(cause) => return Sent::Failed(cause),
        };
        loop {
            match slot.outbound.enqueue(record, Ticket::new(pair, attempt, ledger.elapsed())) {
                Ok(()) => return Sent::Taken,
                Err(EnqueueFault::Refused(fault)) => return Sent::Failed(Cause::from(&fault.into())),
                Err(EnqueueFault::QueueFull) => match ledger.halted() {
                    Some(why) => return Sent::Halted(why),
                    None => std::thread::sleep(PAUSE),
                },
            }
        }
    }

    /// Sends again what is due.
    fn resend(&self) {
        while let Some(retry) = self.floor.ledger.retries.take_due(Instant::now()) {
            let headers: Vec<_> =
                retry.message.headers.iter().map(|(name, value)| (&**name, value.as_deref())).collect();
            let record = borrowed(&retry.message, &headers);
            match self.enqueue(retry.pair, retry.lane, retry.slot, record, retry.attempt) {
                Sent::Taken => {}
                Sent::Failed(cause) => self.give_up(&retry, &cause, record_bytes(&record)),
                // It was tried, and this is what came of it.
                Sent::Halted(_) => self.give_up(&retry, &retry.cause, record_bytes(&record)),
            }
        }
    }

    fn give_up(&self, retry: &Retry, cause: &Cause, bytes: u64) {
        self.floor.ledger.failed_after_sending(retry.pair, bytes, cause);
        self.floor.ledger.returns(retry.lane, 1);
    }
}

enum Sent {
    Taken,
    Failed(Cause),
    Halted(NotSent),
}

fn outgoing<'a>(
    material: &'a Material,
    event: &Rendered<'a>,
    headers: &'a [(&'a str, Option<&'a [u8]>)],
) -> Outgoing<'a> {
    Outgoing {
        topic: &material.topic,
        partition: material.partition,
        timestamp_ms: Some(event.timestamp_ms),
        key: event.key,
        value: Some(event.value),
        headers,
    }
}

/// A kept record as the client takes it.
pub fn borrowed<'a>(message: &'a Message, headers: &'a [(&'a str, Option<&'a [u8]>)]) -> Outgoing<'a> {
    Outgoing {
        topic: &message.topic,
        partition: message.partition,
        timestamp_ms: message.timestamp_ms,
        key: message.key.as_deref(),
        value: message.value.as_deref(),
        headers,
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
