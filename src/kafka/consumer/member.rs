//! A member of a group: a thread that polls, commits and answers rebalances whatever the callbacks do. It processes nothing.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::settings::ConsumeSettings;
use crate::core::fault::{Blame, Fault};
use crate::core::record::Record;
use crate::kafka::cause::{Severity, call_fault, severity};
use crate::kafka::copies::Copies;
use crate::kafka::group::{Group, Place};
use crate::kafka::settings::Connection;
use crate::kafka::tail::read_ahead;

/// Records that wait between the broker's thread and the callback: enough that neither waits for a thread switch.
const WAITING_MAX: usize = 256;
/// How long the broker's thread looks for the next record before it looks at everything else.
const LOOK: Duration = Duration::from_millis(50);
/// How soon a full queue to the callback is looked at again.
const FULL_LOOK: Duration = Duration::from_millis(1);
/// How long the queue may be full before the partitions are paused: far below `max.poll.interval.ms`, and long enough
/// that a burst does not throw away what was read ahead.
const PAUSE_AFTER: Duration = Duration::from_secs(1);

/// What the broker's thread hands over.
pub enum Arrival {
    /// A record, and the turn in which its partition was given to us.
    Record(Record, u64),
    /// An error that the client tries to get over.
    Trouble(Fault),
    /// Nothing more comes.
    Ended(Fault),
}

/// What was left when the group was.
pub struct Left {
    /// Commits the broker took, and those it did not.
    pub commits: (u64, u64),
    /// Why the last commit was not taken.
    pub fault: Option<Fault>,
}

/// The broker's side: a thread that polls, commits and answers rebalances whatever the callback does.
pub struct Member {
    /// What came.
    pub inbox: mpsc::Receiver<Arrival>,
    /// What it holds and has done.
    pub group: Arc<Group>,
    is_leaving: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<Option<Fault>>>,
}

impl Member {
    /// Joins the group and begins to read.
    pub fn join(connection: &Connection, settings: &ConsumeSettings) -> Result<Self, Fault> {
        let doing = format!("join the group `{}`", settings.group_id);
        let failed = |error: KafkaError| connection.scrubber().clean(call_fault(&doing, &error));
        let mut wanted = connection.environment().consumer.clone();
        wanted.auto_offset_reset = settings.offset_reset.unwrap_or(wanted.auto_offset_reset);
        let mut config = connection.consumer_config(&wanted)?;
        config.set("group.id", &settings.group_id);
        read_ahead(&mut config);
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
    pub async fn leave(mut self) -> Left {
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
    let mut copies = Copies::whole();
    let mut topics = HashSet::new();
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
                let topic = shared(&mut topics, message.topic());
                let place: Place = (Arc::clone(&topic), message.partition());
                let record = copies.record(&message, &topic, None);
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

/// The topic's name, allocated once however many records come of it.
fn shared(topics: &mut HashSet<Arc<str>>, name: &str) -> Arc<str> {
    if let Some(known) = topics.get(name) {
        return Arc::clone(known);
    }
    let topic: Arc<str> = name.into();
    topics.insert(Arc::clone(&topic));
    topic
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_a_topic_share_its_name() {
        let mut topics = HashSet::new();
        let names = ["orders", "payments", "orders"].map(|name| shared(&mut topics, name));
        assert!(Arc::ptr_eq(&names[0], &names[2]) && !Arc::ptr_eq(&names[0], &names[1]));
        assert_eq!(topics.len(), 2);
    }
}
