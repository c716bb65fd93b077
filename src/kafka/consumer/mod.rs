//! A consumer group with a callback: each record is processed, then its offset committed. What fails is skipped, tried
//! again or ends the work; a stop lets what is in hand finish. At least once, in the order of each partition's keys.

mod member;
mod order;
mod settings;

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use crate::core::fault::{Blame, Fault};
use crate::core::record::Record;

use super::group::{Group, Place};
use super::settings::Connection;
use super::stop::Stop;
use member::{Arrival, Member};
use order::{Finished, Lane, Lanes};

pub use settings::{
    ConsumeCounts, ConsumeEvent, ConsumeReport, ConsumeSettings, DRAIN_TIMEOUT, Exhausted, OnError, SUMMARY_EVERY,
};

/// Records at work at once, at most: each may be a process of its own.
pub const CONCURRENCY_MAX: usize = 256;
/// Records that wait for others of their key, for each that may be at work: one busy key must not hold up the others soon,
/// and values of any size wait here.
const WAITING_PER_HAND: usize = 16;
/// Offsets that are done behind a record that is not: what comes again at most when the work is cut off.
const UNCOMMITTED_MAX: usize = 10_000;

/// Consumes until `stop`, `max_records` or a fault. `process` gets `max_concurrency` records at a time, those of a key one
/// after another; an offset is committed when every record before it is done. `observe` hears what happens.
///
/// The final commit has been answered when this returns. A stop lets the callbacks finish within `drain_timeout`; an
/// immediate stop drops them, and their records come again.
///
/// # Errors
/// The group could not be joined at all: settings, certificates.
pub async fn consume<F, Fut>(
    connection: &Connection,
    settings: &ConsumeSettings,
    stop: &Stop,
    mut process: F,
    observe: impl FnMut(ConsumeEvent),
) -> Result<ConsumeReport, Fault>
where
    F: FnMut(Arc<Record>) -> Fut,
    Fut: Future<Output = Result<(), String>>,
{
    let mut member = Member::join(connection, settings)?;
    let halt = stop.token().child_token();
    let drain = Drain { halt: &halt, stop, timeout: settings.drain_timeout };
    let mut desk = Desk::new(settings, observe);
    let mut hands = FuturesUnordered::new();
    loop {
        let is_over = desk.is_enough() || halt.is_cancelled();
        while !is_over
            && hands.len() < settings.max_concurrency.get()
            && let Some(task) = desk.begin(&member.group)
        {
            hands.push(drain.lead(Doing::Work(process(task.record.clone())), task));
        }
        if is_over && hands.is_empty() {
            break;
        }
        let takes = !is_over && desk.has_room(hands.len(), &member.group);
        tokio::select! {
            biased;
            Some((task, came)) = hands.next(), if !hands.is_empty() => match desk.came(task, came, &member.group) {
                Next::Nothing => {}
                Next::Again(task) => hands.push(drain.lead(Doing::Work(process(task.record.clone())), task)),
                Next::Pause(pause, task) => hands.push(drain.lead(Doing::Pause(pause), task)),
                Next::End(fault) => desk.end(fault, &halt),
            },
            () = halt.cancelled(), if takes => {}
            arrival = member.inbox.recv(), if takes => match arrival {
                Some(Arrival::Record(record, turn)) => desk.arrived(record, turn, &member.group),
                Some(Arrival::Trouble(fault)) => desk.tell(ConsumeEvent::Trouble(fault)),
                Some(Arrival::Ended(fault)) => desk.end(fault, &halt),
                None => desk.end(Fault::new(Blame::Program, "the consumer's thread ended without a word"), &halt),
            },
        }
    }
    drop(hands);
    let left = member.leave().await;
    desk.counted(left.commits);
    desk.tell(ConsumeEvent::Summary(desk.counts));
    Ok(ConsumeReport { counts: desk.counts, fault: desk.fault.or(left.fault) })
}

/// A record on its way through the callback.
struct Task {
    record: Arc<Record>,
    lane: Lane,
    /// The turn in which its partition was given to us.
    turn: u64,
    /// From 1.
    attempt: u32,
}

impl Task {
    fn place(&self) -> &Place {
        &self.lane.0
    }

    fn said(&self) -> String {
        format!("{}[{}]@{}", self.record.topic, self.record.partition, self.record.offset)
    }
}

/// What one hand does.
enum Doing<Work> {
    Work(Work),
    Pause(Duration),
}

/// What came of it.
enum Came {
    Processed,
    Refused(String),
    Rested,
    /// The time after a stop was over.
    Dropped,
}

/// How long what is in hand may take after a stop.
struct Drain<'a> {
    halt: &'a CancellationToken,
    stop: &'a Stop,
    timeout: Duration,
}

impl Drain<'_> {
    async fn lead(&self, doing: Doing<impl Future<Output = Result<(), String>>>, task: Task) -> (Task, Came) {
        let came = match doing {
            Doing::Work(working) => tokio::select! {
                biased;
                outcome = working => outcome.map_or_else(Came::Refused, |()| Came::Processed),
                () = self.over() => Came::Dropped,
            },
            Doing::Pause(pause) => tokio::select! {
                () = tokio::time::sleep(pause) => Came::Rested,
                () = self.halt.cancelled() => Came::Dropped,
            },
        };
        (task, came)
    }

    /// Returns when the callbacks have had their time: `timeout` after the halt, or at once after an immediate stop.
    async fn over(&self) {
        self.halt.cancelled().await;
        tokio::select! {
            () = tokio::time::sleep(self.timeout) => {}
            () = self.stop.immediate() => {}
        }
    }
}

/// What follows for a record.
enum Next {
    Nothing,
    Again(Task),
    Pause(Duration, Task),
    End(Fault),
}

/// The books of the work: what waits, what is done, and the counts.
struct Desk<'a, Observe> {
    settings: &'a ConsumeSettings,
    observe: Observe,
    counts: ConsumeCounts,
    fault: Option<Fault>,
    lanes: Lanes<Task>,
    /// Records whose lane is theirs, in the order in which they came to it.
    ready: VecDeque<Task>,
    finished: Finished,
}

impl<'a, Observe: FnMut(ConsumeEvent)> Desk<'a, Observe> {
    fn new(settings: &'a ConsumeSettings, observe: Observe) -> Self {
        Self {
            settings,
            observe,
            counts: ConsumeCounts::default(),
            fault: None,
            lanes: Lanes::default(),
            ready: VecDeque::new(),
            finished: Finished::default(),
        }
    }

    fn tell(&mut self, event: ConsumeEvent) {
        (self.observe)(event);
    }

    fn counted(&mut self, (taken, not_taken): (u64, u64)) {
        (self.counts.commits, self.counts.commit_failures) = (taken, not_taken);
    }

    /// The first fault ends the work; what is in hand may finish.
    fn end(&mut self, fault: Fault, halt: &CancellationToken) {
        self.fault.get_or_insert(fault);
        halt.cancel();
    }

    fn is_enough(&self) -> bool {
        self.settings.max_records.is_some_and(|max| max <= self.counts.received)
    }

    /// Whether another record may be taken from the broker's thread.
    fn has_room(&mut self, at_work: usize, group: &Group) -> bool {
        let hands = self.settings.max_concurrency.get();
        if UNCOMMITTED_MAX <= self.finished.held() {
            self.finished.retain(|place, turn| group.turn(place) == Some(turn));
        }
        at_work < hands && self.lanes.waiting() < hands * WAITING_PER_HAND && self.finished.held() < UNCOMMITTED_MAX
    }

    fn arrived(&mut self, record: Record, turn: u64, group: &Group) {
        let place: Place = (Arc::clone(&record.topic), record.partition);
        if group.turn(&place) != Some(turn) {
            return;
        }
        self.finished.arrived(&place, turn, record.offset);
        let lane: Lane = Arc::new((place, record.key.clone()));
        let task = Task { record: Arc::new(record), lane: Arc::clone(&lane), turn, attempt: 1 };
        self.ready.extend(self.lanes.enter(&lane, task));
    }

    /// The next record to be processed. What came before its partition went to another member is passed over.
    fn begin(&mut self, group: &Group) -> Option<Task> {
        if self.is_enough() {
            return None;
        }
        loop {
            let task = self.ready.pop_front()?;
            if group.turn(task.place()) == Some(task.turn) {
                self.counts.received += 1;
                self.counts.bytes += (task.record.key.as_ref().map_or(0, Vec::len) + task.record.value_bytes) as u64;
                return Some(task);
            }
            self.ready.extend(self.lanes.next(&task.lane));
        }
    }

    fn came(&mut self, task: Task, came: Came, group: &Group) -> Next {
        match came {
            Came::Rested => return Next::Again(task),
            Came::Processed => self.counts.processed += 1,
            Came::Dropped => {
                self.counts.returned += 1;
                return Next::Nothing;
            }
            Came::Refused(why) => {
                let pause = match self.settings.on_error {
                    OnError::Retry { max_retries, backoff, .. } if task.attempt <= max_retries => {
                        Some(backoff.pause(task.attempt))
                    }
                    _ => None,
                };
                let (place, attempt, is_retried) = (task.said(), task.attempt, pause.is_some());
                self.tell(ConsumeEvent::Failed { place, attempt, why: why.clone(), is_retried });
                if let Some(pause) = pause {
                    self.counts.retries += 1;
                    return Next::Pause(pause, Task { attempt: attempt + 1, ..task });
                }
                if let OnError::Stop | OnError::Retry { then: Exhausted::Stop, .. } = self.settings.on_error {
                    self.counts.returned += 1;
                    let fault = Fault::new(Blame::Record, format!("{}: {why}", task.said()));
                    return Next::End(fault.next("mend what failed and start again: the record was not committed"));
                }
                self.counts.failed += 1;
            }
        }
        self.done(&task, group);
        Next::Nothing
    }

    /// A record is dealt with: its lane goes on, and what is done without a gap may be committed.
    fn done(&mut self, task: &Task, group: &Group) {
        self.ready.extend(self.lanes.next(&task.lane));
        if let Some(offset) = self.finished.done(task.place(), task.turn, task.record.offset) {
            group.done(task.place(), task.turn, offset);
        }
        let (counts, every) = (self.counts, self.settings.summary_every);
        if every > 0 && (counts.processed + counts.failed).is_multiple_of(every) {
            self.counted(group.commits());
            self.tell(ConsumeEvent::Summary(self.counts));
        }
    }
}
