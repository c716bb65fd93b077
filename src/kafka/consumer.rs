//! A consumer group with a callback: each record is processed, then its offset committed. What fails is skipped,
//! tried again or ends the work; a stop lets the record in hand finish. At least once, in the order of each partition.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::core::environment::OffsetReset;
use crate::core::fault::{Blame, Fault};
use crate::core::record::Record;

use super::backoff::Backoff;
use super::cause::{Severity, call_fault, severity};
use super::group::{Group, Place};
use super::settings::Connection;
use super::stop::Stop;
use super::tail::record_of;

/// Records that wait between the broker's thread and the callback: enough that neither waits for a thread switch.
const WAITING_MAX: usize = 256;
/// How long the broker's thread looks for the next record before it looks at everything else.
const LOOK: Duration = Duration::from_millis(50);
/// How soon a full queue to the callback is looked at again.
const FULL_LOOK: Duration = Duration::from_millis(1);
/// How long the queue may be full before the partitions are paused: far below `max.poll.interval.ms`, and long enough
/// that a burst does not throw away what was read ahead.
const PAUSE_AFTER: Duration = Duration::from_secs(1);
/// Records between two summaries where the caller does not say (the document's number).
pub const SUMMARY_EVERY: u64 = 1_000;
/// How long the record in hand may take to finish after a stop, where the caller does not say.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// What happens to a record whose callback fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// It is counted as failed, committed, and the next one comes.
    Continue,
    /// It is tried again; when all attempts have failed, `then` decides.
    Retry {
        /// Attempts after the first.
        max_retries: u32,
        /// Pauses between them.
        backoff: Backoff,
        /// What happens after the last.
        then: Exhausted,
    },
    /// The work ends; the record is not committed and comes again next time.
    Stop,
}

/// What happens when every attempt has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// As [`OnError::Continue`].
    Skip,
    /// As [`OnError::Stop`].
    Stop,
}

/// What is consumed, and how.
#[derive(Debug, Clone)]
pub struct ConsumeSettings {
    /// Topics to subscribe to; `^…` is a pattern.
    pub topics: Vec<String>,
    /// The group.
    pub group_id: String,
    /// Where a group without a commit starts; the environment's where absent.
    pub offset_reset: Option<OffsetReset>,
    /// What happens to a record whose callback fails.
    pub on_error: OnError,
    /// How long the record in hand may take after a stop.
    pub drain_timeout: Duration,
    /// Records between two summaries.
    pub summary_every: u64,
    /// Ends after so many records.
    pub max_records: Option<u64>,
}

impl ConsumeSettings {
    /// The document's defaults for a group on some topics.
    pub fn new(group_id: impl Into<String>, topics: Vec<String>) -> Self {
        Self {
            topics,
            group_id: group_id.into(),
            offset_reset: None,
            on_error: OnError::Continue,
            drain_timeout: DRAIN_TIMEOUT,
            summary_every: SUMMARY_EVERY,
            max_records: None,
        }
    }
}

/// Counts since the beginning. `received` is the sum of `processed`, `failed` and `returned`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ConsumeCounts {
    /// Records given to the callback.
    pub received: u64,
    /// Records it processed.
    pub processed: u64,
    /// Records it failed on for good and that were passed over.
    pub failed: u64,
    /// Records that were not finished: they come again.
    pub returned: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Bytes of keys and values received.
    pub bytes: u64,
    /// Commits the broker took.
    pub commits: u64,
    /// Commits it did not take.
    pub commit_failures: u64,
}

/// What the work tells while it goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum ConsumeEvent {
    /// Every so many records.
    Summary(ConsumeCounts),
    /// A record's attempt failed.
    Failed {
        /// `topic[partition]@offset`.
        place: String,
        /// Attempt, from 1.
        attempt: u32,
        /// What the callback said.
        why: String,
        /// Whether it is tried again.
        is_retried: bool,
    },
    /// An error that the client tries to get over.
    Trouble(Fault),
}

/// How the work ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumeReport {
    /// Counts.
    pub counts: ConsumeCounts,
    /// What ended it, where nobody asked it to stop.
    pub fault: Option<Fault>,
}

/// Consumes until `stop`, `max_records` or a fault. `process` gets one record at a time; `observe` hears what happens.
///
/// The final commit has been answered when this returns. A stop lets the callback finish within `drain_timeout`; an
/// immediate stop drops it, and its record comes again.
///
/// # Errors
/// The group could not be joined at all: settings, certificates.
pub async fn consume<F, Fut>(
    connection: &Connection,
    settings: &ConsumeSettings,
    stop: &Stop,
    mut process: F,
    mut observe: impl FnMut(ConsumeEvent),
) -> Result<ConsumeReport, Fault>
where
    F: FnMut(Arc<Record>) -> Fut,
    Fut: Future<Output = Result<(), String>>,
{
    let mut member = Member::join(connection, settings)?;
    let mut work = Work { settings, counts: ConsumeCounts::default() };
    let fault = loop {
        if settings.max_records.is_some_and(|max| work.counts.received >= max) {
            break None;
        }
        let arrival = tokio::select! {
            biased;
            () = stop.requested() => break None,
            arrival = member.inbox.recv() => arrival,
        };
        match arrival {
            None => break Some(Fault::new(Blame::Program, "the consumer's thread ended without a word")),
            Some(Arrival::Ended(fault)) => break Some(fault),
            Some(Arrival::Trouble(fault)) => observe(ConsumeEvent::Trouble(fault)),
            Some(Arrival::Record(record, turn)) => {
                let place = (record.topic.to_string(), record.partition);
                if member.group.turn(&place) != Some(turn) {
                    continue;
                }
                let offset = record.offset;
                let ending = work.one(Arc::new(record), stop, &mut process, &mut observe).await;
                match ending {
                    Ending::Done => member.group.done(&place, turn, offset),
                    Ending::Returned => {}
                    Ending::Stop(fault) => break Some(fault),
                }
                if settings.summary_every > 0 && work.counts.received.is_multiple_of(settings.summary_every) {
                    (work.counts.commits, work.counts.commit_failures) = member.group.commits();
                    observe(ConsumeEvent::Summary(work.counts));
                }
            }
        }
    };
    let left = member.leave().await;
    (work.counts.commits, work.counts.commit_failures) = left.commits;
    observe(ConsumeEvent::Summary(work.counts));
    Ok(ConsumeReport { counts: work.counts, fault: fault.or(left.fault) })
}

enum Ending {
    Done,
    Returned,
    Stop(Fault),
}

/// The callback's side: attempts, counts, the drain.
struct Work<'a> {
    settings: &'a ConsumeSettings,
    counts: ConsumeCounts,
}

impl Work<'_> {
    async fn one<F, Fut>(
        &mut self,
        record: Arc<Record>,
        stop: &Stop,
        process: &mut F,
        observe: &mut impl FnMut(ConsumeEvent),
    ) -> Ending
    where
        F: FnMut(Arc<Record>) -> Fut,
        Fut: Future<Output = Result<(), String>>,
    {
        self.counts.received += 1;
        self.counts.bytes += (record.key.as_ref().map_or(0, Vec::len) + record.value_bytes) as u64;
        let place = format!("{}[{}]@{}", record.topic, record.partition, record.offset);
        for attempt in 1.. {
            let outcome = tokio::select! {
                biased;
                outcome = process(record.clone()) => outcome,
                () = drained(stop, self.settings.drain_timeout) => return self.returned(),
            };
            let Err(why) = outcome else {
                self.counts.processed += 1;
                return Ending::Done;
            };
            let pause = match self.settings.on_error {
                OnError::Retry { max_retries, backoff, .. } if attempt <= max_retries => Some(backoff.pause(attempt)),
                _ => None,
            };
            let is_retried = pause.is_some();
            observe(ConsumeEvent::Failed { place: place.clone(), attempt, why: why.clone(), is_retried });
            let Some(pause) = pause else { return self.given_up(&place, &why) };
            self.counts.retries += 1;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.requested() => return self.returned(),
            }
        }
        self.returned()
    }

    fn returned(&mut self) -> Ending {
        self.counts.returned += 1;
        Ending::Returned
    }

    fn given_up(&mut self, place: &str, why: &str) -> Ending {
        match self.settings.on_error {
            OnError::Continue | OnError::Retry { then: Exhausted::Skip, .. } => {
                self.counts.failed += 1;
                Ending::Done
            }
            OnError::Stop | OnError::Retry { then: Exhausted::Stop, .. } => {
                self.counts.returned += 1;
                Ending::Stop(
                    Fault::new(Blame::Record, format!("{place}: {why}"))
                        .next("mend what failed and start again: the record was not committed"),
                )
            }
        }
    }
}

/// Returns when the callback has had its time: `timeout` after a stop, or at once after an immediate one.
async fn drained(stop: &Stop, timeout: Duration) {
    stop.requested().await;
    tokio::select! {
        () = tokio::time::sleep(timeout) => {}
        () = stop.immediate() => {}
    }
}

enum Arrival {
    Record(Record, u64),
    Trouble(Fault),
    Ended(Fault),
}

struct Left {
    commits: (u64, u64),
    fault: Option<Fault>,
}

/// The broker's side: a thread that polls, commits and answers rebalances whatever the callback does.
struct Member {
    inbox: mpsc::Receiver<Arrival>,
    group: Arc<Group>,
    is_leaving: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<Option<Fault>>>,
}

impl Member {
    fn join(connection: &Connection, settings: &ConsumeSettings) -> Result<Self, Fault> {
        let doing = format!("join the group `{}`", settings.group_id);
        let failed = |error: KafkaError| connection.scrubber().clean(call_fault(&doing, &error));
        let mut wanted = connection.environment().consumer.clone();
        wanted.auto_offset_reset = settings.offset_reset.unwrap_or(wanted.auto_offset_reset);
        let mut config = connection.consumer_config(&wanted)?;
        config.set("group.id", &settings.group_id);
        super::tail::read_ahead(&mut config);
        let consumer: BaseConsumer<Group> =
            config.create_with_context(Group::new(connection.context())).map_err(failed)?;
        let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(failed)?;
        let group = consumer.context().clone();
        let (outbox, inbox) = mpsc::channel(WAITING_MAX);
        let is_leaving = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new()
            .name(format!("velox-consumer-{}", settings.group_id))
            .spawn({
                let is_leaving = is_leaving.clone();
                move || attend(&consumer, &outbox, &is_leaving)
            })
            .map_err(|error| Fault::new(Blame::Program, format!("could not {doing}: {error}")))?;
        Ok(Self { inbox, group, is_leaving, thread: Some(thread) })
    }

    /// Commits, leaves the group and waits until the broker knows.
    async fn leave(mut self) -> Left {
        self.is_leaving.store(true, Ordering::Release);
        self.inbox.close();
        let thread = self.thread.take();
        let ended = tokio::task::spawn_blocking(move || thread.map(std::thread::JoinHandle::join)).await;
        let fault = match ended {
            Ok(Some(Ok(fault))) => fault,
            _ => Some(Fault::new(Blame::Program, "the consumer's thread panicked")),
        };
        Left { commits: self.group.commits(), fault }
    }
}

impl Drop for Member {
    /// Someone dropped the work halfway: the thread commits what is done and leaves by itself.
    fn drop(&mut self) {
        self.is_leaving.store(true, Ordering::Release);
    }
}

/// Polls until told to leave. While the callback is slow, records wait; while it is very slow, the partitions are
/// paused and polling goes on, so that the group keeps its member.
fn attend(consumer: &BaseConsumer<Group>, outbox: &mpsc::Sender<Arrival>, is_leaving: &AtomicBool) -> Option<Fault> {
    let mut header_names = Vec::new();
    let mut backlog: VecDeque<Arrival> = VecDeque::new();
    let mut full_since: Option<Instant> = None;
    let mut is_paused = false;
    while !is_leaving.load(Ordering::Acquire) {
        consumer.context().commit_soon(consumer);
        while let Some(arrival) = backlog.pop_front() {
            match outbox.try_send(arrival) {
                Ok(()) => full_since = None,
                Err(TrySendError::Full(arrival)) => {
                    backlog.push_front(arrival);
                    break;
                }
                Err(TrySendError::Closed(_)) => return leave(consumer),
            }
        }
        let is_slow = !backlog.is_empty() && full_since.get_or_insert_with(Instant::now).elapsed() >= PAUSE_AFTER;
        if is_slow != is_paused && (is_slow || backlog.is_empty()) {
            is_paused = paused(consumer, is_slow);
        }
        if !backlog.is_empty() && !is_paused {
            std::thread::sleep(FULL_LOOK);
            continue;
        }
        match consumer.poll(LOOK) {
            None => {}
            Some(Ok(message)) => {
                let place: Place = (message.topic().to_owned(), message.partition());
                let topic: Arc<str> = message.topic().into();
                let record = record_of(&message, &topic, usize::MAX, &mut header_names);
                backlog.extend(consumer.context().turn(&place).map(|turn| Arrival::Record(record, turn)));
                if is_paused {
                    // Its partition was given to us since the others were paused; else the backlog would grow with it.
                    paused(consumer, true);
                }
            }
            Some(Err(error)) => backlog.extend(trouble(consumer, &error)),
        }
        if let Some(fault) = consumer.context().context().watch.ending() {
            outbox.blocking_send(Arrival::Ended(fault)).ok();
            break;
        }
    }
    leave(consumer)
}

fn paused(consumer: &BaseConsumer<Group>, should_pause: bool) -> bool {
    let Ok(held) = consumer.assignment() else { return !should_pause };
    let outcome = if should_pause { consumer.pause(&held) } else { consumer.resume(&held) };
    if outcome.is_ok() { should_pause } else { !should_pause }
}

fn leave(consumer: &BaseConsumer<Group>) -> Option<Fault> {
    let outcome = consumer.context().commit_now(consumer);
    consumer.unsubscribe();
    outcome.err().map(|error| {
        let fault = call_fault("commit the last records", &error);
        Fault { what: consumer.context().context().scrub(&fault.what), ..fault }.next("they will come again")
    })
}

fn trouble(consumer: &BaseConsumer<Group>, error: &KafkaError) -> Option<Arrival> {
    let code = error.rdkafka_error_code()?;
    let context = consumer.context().context();
    let refused = |what: String| {
        Arrival::Ended(Fault::new(Blame::Authentication, what).next("ask for READ on the group and its topics"))
    };
    match (code, severity(code, &code.to_string())) {
        (RDKafkaErrorCode::PollExceeded, _) => Some(Arrival::Trouble(Fault::new(Blame::Connection, error.to_string()))),
        (RDKafkaErrorCode::GroupAuthorizationFailed, Severity::Passing(fault)) => Some(refused(fault.what)),
        (_, Severity::Final(fault)) => Some(Arrival::Ended(context.watch.ending().unwrap_or(fault))),
        (_, Severity::Passing(fault)) => Some(Arrival::Trouble(context.watch.take_passing().unwrap_or(fault))),
    }
}
