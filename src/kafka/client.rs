//! The comfortable producer of the document: send and await, batches with bounded concurrency, a queue that flushes on
//! size or time, a state and statistics. Built on [`Producer`]; an ETL run uses that directly.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde::Serialize;
use tokio::sync::{Notify, oneshot};

use crate::clock;
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;
use crate::core::record::{Delivery, Message};

use super::admin::Admin;
use super::cause::{SendCause, SendFault};
use super::producer::{EnqueueFault, Outgoing, Producer, Receipts};
use super::settings::Connection;
use super::state::{ConnectionState, Lifecycle};

/// Messages of a queue that flushes itself, where the caller does not say.
pub const QUEUE_MESSAGES: usize = 100;
/// Age at which a queue flushes itself, where the caller does not say.
pub const QUEUE_AGE: Duration = Duration::from_millis(5_000);
/// librdkafka frees a record's place a moment after its receipt; a full queue is looked at again this soon.
const ROOM_LOOK: Duration = Duration::from_millis(5);

/// Sends messages to one environment.
pub struct KafkaProducer {
    connection: Connection,
    queue_messages: usize,
    queue_age: Duration,
    producer: Option<Producer<Desk>>,
    desk: Arc<Desk>,
    life: Mutex<Lifecycle>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    messages: Vec<Message>,
    oldest: Option<Instant>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchResult {
    /// One outcome a message, in the order given.
    pub outcomes: Vec<Result<Delivery, SendFault>>,
    /// Bytes of the messages that were delivered.
    pub bytes: u64,
    /// From the first message offered to the last one settled.
    pub duration: Duration,
}

impl BatchResult {
    /// Messages in all.
    pub fn total(&self) -> usize {
        self.outcomes.len()
    }

    /// Messages the broker confirmed.
    pub fn successful(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.is_ok()).count()
    }

    /// Messages it did not.
    pub fn failed(&self) -> usize {
        self.total() - self.successful()
    }

    /// Confirmed messages a second.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn messages_per_second(&self) -> f64 {
        self.successful() as f64 / self.duration.as_secs_f64().max(f64::EPSILON)
    }
}

/// What a producer has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ProducerStatistics {
    /// Messages the broker confirmed.
    pub messages_sent: u64,
    /// Messages it did not.
    pub messages_failed: u64,
    /// Bytes of keys, values and headers confirmed.
    pub bytes_sent: u64,
    /// Messages on their way.
    pub in_flight: usize,
    /// Messages that wait in the queue of [`KafkaProducer::queue_message`].
    pub queued: usize,
    /// State and times.
    #[serde(flatten)]
    pub life: Lifecycle,
}

#[derive(Default)]
struct Desk {
    sent: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    room: Notify,
}

struct Ticket {
    bytes: u64,
    reply: oneshot::Sender<Result<Delivery, SendFault>>,
}

impl Receipts for Desk {
    type Ticket = Ticket;

    fn settled(&self, ticket: Ticket, outcome: Result<Delivery, SendFault>) {
        if outcome.is_ok() {
            self.sent.fetch_add(1, Ordering::AcqRel);
            self.bytes.fetch_add(ticket.bytes, Ordering::AcqRel);
        } else {
            self.failed.fetch_add(1, Ordering::AcqRel);
        }
        ticket.reply.send(outcome).ok();
        self.room.notify_waiters();
    }
}

impl KafkaProducer {
    /// A producer that is not connected yet.
    pub fn new(connection: Connection) -> Self {
        Self {
            connection,
            queue_messages: QUEUE_MESSAGES,
            queue_age: QUEUE_AGE,
            producer: None,
            desk: Arc::default(),
            life: Mutex::new(Lifecycle::new(clock::now())),
            queue: Mutex::default(),
        }
    }

    /// The same with another size and age at which its queue flushes itself.
    #[must_use]
    pub fn flushing_at(mut self, messages: usize, age: Duration) -> Self {
        (self.queue_messages, self.queue_age) = (messages.max(1), age);
        self
    }

    /// Reaches a broker and logs in.
    ///
    /// # Errors
    /// No broker answered, or the login was refused; the state is then [`ConnectionState::Error`].
    pub async fn connect(&mut self) -> Result<(), Fault> {
        self.become_state(ConnectionState::Connecting)?;
        match self.reach().await {
            Ok(producer) => {
                self.producer = Some(producer);
                self.become_state(ConnectionState::Connected)
            }
            Err(fault) => {
                self.become_state(ConnectionState::Error)?;
                Err(fault)
            }
        }
    }

    /// Sends what is queued, waits for what is in flight (at most `timeout`), and closes.
    ///
    /// # Errors
    /// It is not connected, or messages were given up; they are counted as failed.
    pub async fn disconnect(&mut self, timeout: Duration) -> Result<(), Fault> {
        self.become_state(ConnectionState::Disconnecting)?;
        self.flush_queue().await;
        let mut outcome = Ok(());
        if let Some(producer) = self.producer.take() {
            if let Err(left) = producer.flush(timeout).await {
                outcome = Err(Fault::new(Blame::Connection, format!("{left} messages were not confirmed in time")));
            }
            producer.close().await;
        }
        self.become_state(ConnectionState::Disconnected)?;
        outcome
    }

    /// Disconnects where connected, and connects again.
    ///
    /// # Errors
    /// As [`KafkaProducer::connect`].
    pub async fn reconnect(&mut self, timeout: Duration) -> Result<(), Fault> {
        if self.state() == ConnectionState::Connected {
            self.disconnect(timeout).await?;
        }
        if let Some(producer) = self.producer.take() {
            producer.close().await;
        }
        self.connect().await
    }

    /// Whether a broker answers now.
    pub async fn health_check(&self) -> bool {
        let Ok(admin) = Admin::open(&self.connection) else { return false };
        let is_well = admin.cluster(None, self.connection.request_timeout()).await.is_ok();
        self.touch();
        is_well && self.state() == ConnectionState::Connected
    }

    /// Sends one message and waits for its confirmation.
    ///
    /// # Errors
    /// Why it was not delivered.
    pub async fn send(&self, topic: &str, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Delivery, SendFault> {
        self.deliver(Outgoing { topic, key, value, ..Default::default() }).await
    }

    /// As [`KafkaProducer::send`], with partition, time and headers.
    ///
    /// # Errors
    /// Why it was not delivered.
    pub async fn send_message(&self, message: &Message) -> Result<Delivery, SendFault> {
        let headers: Vec<(&str, Option<&[u8]>)> =
            message.headers.iter().map(|(name, value)| (name.as_ref(), value.as_deref())).collect();
        self.deliver(Outgoing {
            topic: &message.topic,
            partition: message.partition,
            timestamp_ms: message.timestamp_ms,
            key: message.key.as_deref(),
            value: message.value.as_deref(),
            headers: &headers,
        })
        .await
    }

    /// Sends messages, `max_concurrency` of them unconfirmed at a time (1: one after the other).
    pub async fn send_batch(&self, messages: &[Message], max_concurrency: usize) -> BatchResult {
        let begun = Instant::now();
        let outcomes: Vec<_> = futures::stream::iter(messages.iter().map(|message| self.send_message(message)))
            .buffered(max_concurrency.max(1))
            .collect()
            .await;
        let delivered = messages.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        let bytes = delivered.map(|(message, _)| message.bytes() as u64).sum();
        BatchResult { outcomes, bytes, duration: begun.elapsed() }
    }

    /// Sends messages topic by topic, each topic's in their order.
    pub async fn send_batch_by_topic(
        &self,
        messages: Vec<Message>,
        max_concurrency: usize,
    ) -> BTreeMap<Arc<str>, BatchResult> {
        let mut by_topic: BTreeMap<Arc<str>, Vec<Message>> = BTreeMap::new();
        for message in messages {
            by_topic.entry(message.topic.clone()).or_default().push(message);
        }
        let mut results = BTreeMap::new();
        for (topic, messages) in by_topic {
            results.insert(topic, self.send_batch(&messages, max_concurrency).await);
        }
        results
    }

    /// Puts a message aside. Sends all that wait, and gives their result, once they are many or old enough.
    pub async fn queue_message(&self, message: Message) -> Option<BatchResult> {
        let is_due = {
            let mut queue = self.queue.hold();
            queue.messages.push(message);
            let oldest = *queue.oldest.get_or_insert_with(Instant::now);
            queue.messages.len() >= self.queue_messages || oldest.elapsed() >= self.queue_age
        };
        if is_due { self.flush_queue().await } else { None }
    }

    /// Sends what waits in the queue; `None` where nothing does.
    pub async fn flush_queue(&self) -> Option<BatchResult> {
        let queue = std::mem::take(&mut *self.queue.hold());
        if queue.messages.is_empty() {
            return None;
        }
        Some(self.send_batch(&queue.messages, queue.messages.len()).await)
    }

    /// Waits until the oldest message in the queue is old enough, and sends them all: for `select!` beside the work.
    pub async fn flush_queue_when_due(&self) -> Option<BatchResult> {
        let oldest = self.queue.hold().oldest;
        match oldest {
            Some(oldest) => tokio::time::sleep_until((oldest + self.queue_age).into()).await,
            None => std::future::pending().await,
        }
        self.flush_queue().await
    }

    /// Gives up on everything that is on its way: each message is settled at once, as [`SendCause::Closed`], or as
    /// [`SendCause::Unconfirmed`] where a broker may have it.
    pub fn abandon(&self) {
        if let Some(producer) = &self.producer {
            producer.abandon();
        }
    }

    /// Where the connection is.
    pub fn state(&self) -> ConnectionState {
        self.life.hold().state
    }

    /// Counts and times.
    pub fn statistics(&self) -> ProducerStatistics {
        ProducerStatistics {
            messages_sent: self.desk.sent.load(Ordering::Acquire),
            messages_failed: self.desk.failed.load(Ordering::Acquire),
            bytes_sent: self.desk.bytes.load(Ordering::Acquire),
            in_flight: self.producer.as_ref().map_or(0, Producer::in_flight),
            queued: self.queue.hold().messages.len(),
            life: *self.life.hold(),
        }
    }

    async fn reach(&self) -> Result<Producer<Desk>, Fault> {
        Admin::open(&self.connection)?.cluster(None, self.connection.request_timeout()).await?;
        Producer::open(&self.connection, &self.connection.environment().producer, self.desk.clone())
    }

    async fn deliver(&self, message: Outgoing<'_>) -> Result<Delivery, SendFault> {
        let Some(producer) = &self.producer else {
            self.desk.failed.fetch_add(1, Ordering::AcqRel);
            return Err(closed(self.state()));
        };
        let bytes = [message.key, message.value].into_iter().flatten().map(<[u8]>::len).sum::<usize>()
            + message.headers.iter().map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len)).sum::<usize>();
        let (reply, receipt) = oneshot::channel();
        let mut ticket = Ticket { bytes: bytes as u64, reply };
        loop {
            let room = self.desk.room.notified();
            match producer.enqueue(message, ticket) {
                Ok(()) => break,
                Err((EnqueueFault::QueueFull, back)) => {
                    ticket = back;
                    tokio::time::timeout(ROOM_LOOK, room).await.ok();
                }
                Err((EnqueueFault::Refused(fault), _)) => {
                    self.desk.failed.fetch_add(1, Ordering::AcqRel);
                    return Err(self.noted(fault));
                }
            }
        }
        let outcome = receipt.await.unwrap_or_else(|_| Err(closed(self.state())));
        self.touch();
        outcome.map_err(|fault| self.noted(fault))
    }

    /// A connection that was refused for good is in error, not connected.
    fn noted(&self, fault: SendFault) -> SendFault {
        if fault.cause == SendCause::Authentication {
            self.life.hold().become_at(ConnectionState::Error, clock::now()).ok();
        }
        fault
    }

    fn become_state(&self, next: ConnectionState) -> Result<(), Fault> {
        self.life
            .hold()
            .become_at(next, clock::now())
            .map_err(|illegal| Fault::new(Blame::Operator, illegal.to_string()))
    }

    fn touch(&self) {
        self.life.hold().active_at(clock::now());
    }
}

fn closed(state: ConnectionState) -> SendFault {
    SendFault { cause: SendCause::Closed, what: format!("the producer is {state}"), retriable: false }
}
