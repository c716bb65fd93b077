//! Who makes which events next. It hands out batches of event indices of the pairs that are at work, in the order of the
//! plan, and closes a pair that ran out of time. It knows no client and no clock; it is told the time.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::pace::Bucket;

/// What the schedule must know of a pair.
#[derive(Debug, Clone)]
pub struct Work {
    /// Events to make.
    pub events: u64,
    /// Events a batch, at least one.
    pub batch: u32,
    /// Index of its environment, whose rate it shares.
    pub environment: usize,
    /// Index of its connection.
    pub lane: usize,
    /// Its ETL's number, if pairs of that ETL must not run at the same time.
    pub alone: Option<usize>,
    /// Pause between two events.
    pub delay: Duration,
    /// Longest it may work.
    pub timeout: Option<Duration>,
}

/// A batch of a pair: the worker that has it makes these events, and nobody else does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The pair's place in the plan.
    pub pair: usize,
    /// Event indices.
    pub range: Range<u64>,
    /// Its turn among the pair's batches, from 0: batches are handed over in this order.
    pub turn: u64,
}

/// What a worker should do.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Make these events.
    Make(Claim),
    /// Nothing can be made now; look again after this.
    Wait(Duration),
    /// Every event was claimed or given up; what is in flight may still come back.
    AllClaimed,
}

/// Whether a connection takes events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// It does.
    Open,
    /// Not yet, or not now because too much is in flight.
    Busy,
}

/// What the schedule asks about the world.
pub trait World {
    /// Whether a connection takes events.
    fn lane(&self, lane: usize) -> Lane;
    /// Whether every event of a pair has ended.
    fn has_ended(&self, pair: usize) -> bool;
    /// A pair went to work: its connection is wanted.
    fn begun(&self, pair: usize, now: Instant);
    /// Events that will never be made because their pair ran out of time.
    fn timed_out(&self, pair: usize, events: u64);
}

/// Longest sleep of a worker that waits: how late it may notice a stop or an opened connection.
const WAIT_MAX: Duration = Duration::from_millis(20);
/// Sleep while a connection is busy: it frees within about this time at full speed.
const BUSY_WAIT: Duration = Duration::from_millis(1);

/// The schedule of one run.
#[derive(Debug)]
pub struct Schedule {
    pairs: Vec<Pair>,
    rates: Vec<Option<Bucket>>,
    at_once: usize,
    active: Vec<usize>,
    pending: usize,
    turn: usize,
}

#[derive(Debug)]
struct Pair {
    work: Work,
    next: u64,
    turns: u64,
    due: Option<Instant>,
    deadline: Option<Instant>,
    begun: bool,
}

impl Pair {
    fn left(&self) -> u64 {
        self.work.events - self.next
    }
}

impl Schedule {
    /// At most `at_once` pairs at the same time; `rates` are the environments' events a second.
    pub fn new(pairs: Vec<Work>, rates: &[Option<u32>], at_once: u32, now: Instant) -> Self {
        let new = |work| Pair { work, next: 0, turns: 0, due: None, deadline: None, begun: false };
        Self {
            pairs: pairs.into_iter().map(new).collect(),
            rates: rates.iter().map(|rate| rate.map(|rate| Bucket::new(rate, now))).collect(),
            at_once: at_once.max(1) as usize,
            active: Vec::new(),
            pending: 0,
            turn: 0,
        }
    }

    /// The next batch, shared fairly between the pairs at work.
    pub fn next(&mut self, now: Instant, world: &impl World) -> Next {
        self.retire(now, world);
        self.begin(now, world);
        let mut wait = WAIT_MAX;
        let mut nothing_left = true;
        for step in 0..self.active.len() {
            let pair = self.active[(self.turn + step) % self.active.len()];
            if self.pairs[pair].left() == 0 {
                continue;
            }
            nothing_left = false;
            match self.claim(pair, now, world) {
                Ok(claim) => {
                    self.turn = (self.turn + step + 1) % self.active.len();
                    return Next::Make(claim);
                }
                Err(until) => wait = wait.min(until),
            }
        }
        match nothing_left && self.pairs.iter().all(|pair| pair.left() == 0) {
            true => Next::AllClaimed,
            false => Next::Wait(if nothing_left { BUSY_WAIT } else { wait }),
        }
    }

    /// Gives up what a pair has left; how many events that is.
    pub fn give_up(&mut self, pair: usize) -> u64 {
        let pair = &mut self.pairs[pair];
        std::mem::replace(&mut pair.next, pair.work.events).abs_diff(pair.work.events)
    }

    /// Pairs whose connection is `lane`.
    pub fn pairs_on(&self, lane: usize) -> Vec<usize> {
        (0..self.pairs.len()).filter(|pair| self.pairs[*pair].work.lane == lane).collect()
    }

    fn claim(&mut self, pair: usize, now: Instant, world: &impl World) -> Result<Claim, Duration> {
        let work = &self.pairs[pair].work;
        if world.lane(work.lane) == Lane::Busy {
            return Err(BUSY_WAIT);
        }
        if let Some(due) = self.pairs[pair].due.filter(|due| *due > now) {
            return Err(due - now);
        }
        let paused = !work.delay.is_zero();
        let wanted = if paused { 1 } else { self.pairs[pair].left().min(u64::from(work.batch.max(1))) };
        let granted = match &mut self.rates[work.environment] {
            Some(bucket) => bucket.take(wanted, now)?,
            None => wanted,
        };
        let pair_state = &mut self.pairs[pair];
        if paused {
            // From when it was due, so that small lateness does not add up; from now, if it is late by a whole pause.
            let due = pair_state.due.filter(|due| *due + pair_state.work.delay > now).unwrap_or(now);
            pair_state.due = Some(due + pair_state.work.delay);
        }
        let range = pair_state.next..pair_state.next + granted;
        pair_state.next = range.end;
        pair_state.turns += 1;
        Ok(Claim { pair, range, turn: pair_state.turns - 1 })
    }

    /// Takes ended pairs, and those out of time, from the pairs at work.
    fn retire(&mut self, now: Instant, world: &impl World) {
        let pairs = &mut self.pairs;
        self.active.retain(|&index| {
            let pair = &mut pairs[index];
            if pair.deadline.is_some_and(|deadline| deadline <= now) {
                if pair.left() > 0 {
                    world.timed_out(index, pair.left());
                    pair.next = pair.work.events;
                }
                return false;
            }
            pair.left() > 0 || !world.has_ended(index)
        });
    }

    /// Sets the next pairs of the plan to work where there is room.
    fn begin(&mut self, now: Instant, world: &impl World) {
        while self.pending < self.pairs.len() && (self.pairs[self.pending].begun || self.is_nothing(self.pending)) {
            self.pending += 1;
        }
        for index in self.pending..self.pairs.len() {
            if self.active.len() >= self.at_once {
                return;
            }
            if self.pairs[index].begun || self.is_nothing(index) || self.must_wait(index) {
                continue;
            }
            let pair = &mut self.pairs[index];
            pair.begun = true;
            pair.deadline = pair.work.timeout.map(|timeout| now + timeout);
            self.active.push(index);
            world.begun(index, now);
        }
    }

    fn is_nothing(&self, pair: usize) -> bool {
        self.pairs[pair].left() == 0
    }

    fn must_wait(&self, pair: usize) -> bool {
        let alone = self.pairs[pair].work.alone;
        alone.is_some() && self.active.iter().any(|&other| self.pairs[other].work.alone == alone)
    }
}

#[cfg(test)]
mod tests;
