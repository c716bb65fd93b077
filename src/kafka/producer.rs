//! Sending without waiting: records go into librdkafka's queue, and each one's ending comes back as a receipt.
//! Never blocks the caller and never loses a ticket: every ticket that was taken is settled exactly once.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Headers as _, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext, PurgeConfig};

use crate::core::environment::ProducerSettings;
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;
use crate::core::record::Delivery;

use super::cause::{SendCause, SendFault, call_fault};
use super::context::Context;
use super::settings::Connection;

/// How long the polling thread sleeps in librdkafka at most; what a closed producer waits for its thread.
const POLL_SLICE: Duration = Duration::from_millis(50);
/// One look at the queue while flushing.
const FLUSH_SLICE: Duration = Duration::from_millis(100);
/// How long a broker may take to answer a producer's first questions before the producer goes on without.
const INTRODUCTION_MAX: Duration = Duration::from_millis(200);

/// How often a client is asked how much it has sent, see [`counts_repeats`].
const STATISTICS_EVERY_MS: u32 = 1_000;
/// What was sent and what was confirmed are read at different moments: what all of so many readings say is true.
const READINGS: usize = 3;

/// Has a producer of this configuration count the records that it sends again: [`Producer::repeated`].
pub fn counts_repeats(config: &mut ClientConfig) {
    config.set("statistics.interval.ms", STATISTICS_EVERY_MS.to_string());
}

/// Who learns how each record ended.
pub trait Receipts: Send + Sync + 'static {
    /// What comes back with the outcome.
    type Ticket: Send + Sync + 'static;

    /// Called once for every ticket taken, on librdkafka's polling thread: it must not block.
    fn settled(&self, ticket: Self::Ticket, outcome: Result<Delivery, SendFault>);

    /// As [`Receipts::settled`] for a record that was not delivered, with the record as it was, for who sends it again.
    /// Its partition is the one it was meant for last, which need not be one that was asked for.
    fn lost(&self, ticket: Self::Ticket, fault: SendFault, _record: Outgoing<'_>) {
        self.settled(ticket, Err(fault));
    }
}

/// A record on its way, borrowed: librdkafka copies what it keeps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outgoing<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition; by key where absent.
    pub partition: Option<i32>,
    /// Milliseconds since 1970; now where absent.
    pub timestamp_ms: Option<i64>,
    /// Key; `None` is null.
    pub key: Option<&'a [u8]>,
    /// Value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Headers in their order.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

/// Why a record was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnqueueFault {
    /// The queue is full: wait for a receipt and try again.
    QueueFull,
    /// It will never be taken.
    Refused(SendFault),
}

/// A producer whose deliveries are confirmed one by one.
pub struct Producer<R: Receipts> {
    pub(super) client: Arc<BaseProducer<Desk<R>>>,
    context: Context,
    in_flight: Arc<AtomicUsize>,
    repeats: Arc<Repeats>,
    closing: Arc<AtomicBool>,
    polling: Option<JoinHandle<()>>,
}

impl<R: Receipts> Producer<R> {
    /// A producer for this connection. Returns before any broker was reached.
    ///
    /// # Errors
    /// Settings that contradict each other, or certificates that do not load.
    pub fn open(connection: &Connection, settings: &ProducerSettings, receipts: Arc<R>) -> Result<Self, Fault> {
        Self::start(None, connection, &connection.producer_config(settings)?, receipts)
    }

    /// As [`Producer::open`], with librdkafka's settings as they are given.
    ///
    /// # Errors
    /// As [`Producer::open`].
    pub fn open_with(connection: &Connection, config: &ClientConfig, receipts: Arc<R>) -> Result<Self, Fault> {
        Self::start(None, connection, config, receipts)
    }

    /// As [`Producer::open`], for who writes to `topic` at once: without this an idempotent producer's first record may
    /// wait for half a second, see `introduce`.
    ///
    /// # Errors
    /// As [`Producer::open`].
    pub fn open_to(
        topic: &str,
        connection: &Connection,
        settings: &ProducerSettings,
        receipts: Arc<R>,
    ) -> Result<Self, Fault> {
        Self::start(Some(topic.to_owned()), connection, &connection.producer_config(settings)?, receipts)
    }

    fn start(
        first: Option<String>,
        connection: &Connection,
        config: &ClientConfig,
        receipts: Arc<R>,
    ) -> Result<Self, Fault> {
        let doing = format!("open a producer for {}", connection.name());
        let context = connection.context();
        let in_flight = Arc::new(AtomicUsize::new(0));
        let repeats = Arc::new(Repeats::default());
        let desk =
            Desk { context: context.clone(), receipts, in_flight: in_flight.clone(), repeats: Arc::clone(&repeats) };
        let client: BaseProducer<Desk<R>> = config
            .create_with_context(desk)
            .map_err(|error| connection.scrubber().clean(call_fault(&doing, &error)))?;
        let (client, closing) = (Arc::new(client), Arc::new(AtomicBool::new(false)));
        let polling = std::thread::Builder::new()
            .name(format!("velox-producer-{}", connection.name()))
            .spawn({
                let (client, closing, watch) = (client.clone(), closing.clone(), context.watch.clone());
                move || {
                    if let Some(topic) = first {
                        introduce(&client, &topic);
                    }
                    while !closing.load(Ordering::Acquire) {
                        client.poll(POLL_SLICE);
                        // Refused credentials: librdkafka would try for ever. What waits is settled now.
                        if watch.ending().is_some() && client.in_flight_count() > 0 {
                            client.purge(PurgeConfig::default().queue().inflight());
                        }
                    }
                }
            })
            .map_err(|error| Fault::new(Blame::Program, format!("could not {doing}: {error}")))?;
        Ok(Self { client, context, in_flight, repeats, closing, polling: Some(polling) })
    }

    /// Puts a record into the queue. Never waits: a full queue gives the ticket back.
    ///
    /// # Errors
    /// [`EnqueueFault::QueueFull`] while too much waits; [`EnqueueFault::Refused`] for a record that can never be sent
    /// and after the connection has ended.
    pub fn enqueue(&self, message: Outgoing<'_>, ticket: R::Ticket) -> Result<(), (EnqueueFault, R::Ticket)> {
        if let Some(fault) = self.context.watch.ending() {
            return Err((EnqueueFault::Refused(SendFault::ended(&fault)), ticket));
        }
        let record = BaseRecord {
            topic: message.topic,
            partition: message.partition,
            payload: message.value,
            key: message.key,
            timestamp: message.timestamp_ms,
            headers: headers_of(message.headers),
            delivery_opaque: Box::new(ticket),
        };
        // Counted before it is sent: the receipt may come before `send` returns.
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        self.client.send(record).map_err(|(error, record)| {
            self.in_flight.fetch_sub(1, Ordering::AcqRel);
            (enqueue_fault(&error), *record.delivery_opaque)
        })
    }

    /// Records taken and not settled yet.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Records that had to be sent more than once so far, each as often as it was sent again; known a few seconds later,
    /// of a configuration that [`counts_repeats`], else 0.
    pub fn repeated(&self) -> u64 {
        self.repeats.repeated.load(Ordering::Acquire)
    }

    /// The error that ended the connection for good, if one did.
    pub fn ending(&self) -> Option<Fault> {
        self.context.watch.ending()
    }

    /// The newest error that the client tries to get over, given once.
    pub fn take_trouble(&self) -> Option<Fault> {
        self.context.watch.take_passing()
    }

    /// Sends what waits without lingering, and returns when everything is settled.
    ///
    /// # Errors
    /// The number of records that are still in flight after `timeout`.
    pub async fn flush(&self, timeout: Duration) -> Result<(), usize> {
        let deadline = Instant::now() + timeout;
        while self.in_flight() > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.in_flight());
            }
            let client = self.client.clone();
            let slice = left.min(FLUSH_SLICE);
            tokio::task::spawn_blocking(move || client.flush(slice).ok()).await.ok();
        }
        Ok(())
    }

    /// Sends what waits for a fuller batch. Does not wait for it to be sent.
    pub fn hurry(&self) {
        // A wait of less than a millisecond would be spent turning: librdkafka counts in whole ones.
        self.client.flush(Duration::ZERO).ok();
    }

    /// Gives up on everything that waits: each record is settled as [`SendCause::Closed`], one that a broker may have as
    /// [`SendCause::Unconfirmed`].
    pub fn abandon(&self) {
        self.client.purge(PurgeConfig::default().queue().inflight());
    }

    /// Closes the producer off the async threads. What is still in flight is settled as [`SendCause::Closed`].
    pub async fn close(self) {
        tokio::task::spawn_blocking(move || drop(self)).await.ok();
    }
}

impl<R: Receipts> Drop for Producer<R> {
    /// Waits for the polling thread; the client then settles what is left. At most about half a second.
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Release);
        if let Some(polling) = self.polling.take() {
            polling.join().ok();
        }
    }
}

/// Asks for a topic twice, so that an idempotent producer has its id when the first record comes. librdkafka asks for the
/// id whenever metadata arrive, if a broker is connected by then, and else looks again after 500 ms. The first answer
/// comes from the address it was given, which it leaves for the brokers it learns of there; the second from one of those.
fn introduce<C: ProducerContext>(client: &BaseProducer<C>, topic: &str) {
    let deadline = Instant::now() + INTRODUCTION_MAX;
    for _ in 0..2 {
        let left = deadline.saturating_duration_since(Instant::now());
        if client.client().fetch_metadata(Some(topic), left).is_err() {
            return;
        }
    }
}

fn headers_of(headers: &[(&str, Option<&[u8]>)]) -> Option<OwnedHeaders> {
    (!headers.is_empty()).then(|| {
        headers.iter().fold(OwnedHeaders::new_with_capacity(headers.len()), |owned, (key, value)| {
            owned.insert(Header { key, value: *value })
        })
    })
}

fn enqueue_fault(error: &KafkaError) -> EnqueueFault {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::QueueFull) => EnqueueFault::QueueFull,
        Some(code) => EnqueueFault::Refused(SendFault::of(code)),
        None => EnqueueFault::Refused(SendFault {
            cause: SendCause::UnknownTopic,
            what: format!("not the name of a topic: {error}"),
            retriable: false,
        }),
    }
}

/// Records that were sent more often than they were confirmed.
#[derive(Default)]
struct Repeats {
    confirmed: AtomicU64,
    readings: Mutex<VecDeque<u64>>,
    repeated: AtomicU64,
}

impl Repeats {
    fn read(&self, sent: u64) {
        let beyond = sent.saturating_sub(self.confirmed.load(Ordering::Acquire));
        let mut readings = self.readings.hold();
        readings.push_back(beyond);
        if READINGS <= readings.len() {
            let least = readings.iter().copied().min().unwrap_or(0);
            self.repeated.fetch_max(least, Ordering::AcqRel);
            readings.pop_front();
        }
    }
}

/// Where deliveries arrive: librdkafka's callbacks for a producer.
pub(super) struct Desk<R: Receipts> {
    context: Context,
    receipts: Arc<R>,
    in_flight: Arc<AtomicUsize>,
    repeats: Arc<Repeats>,
}

impl<R: Receipts> ClientContext for Desk<R> {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.context.log(level, facility, line);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.context.stats_raw(statistics);
        self.repeats.read(self.context.watch.sent());
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.context.generate_oauth_token(config)
    }
}

impl<R: Receipts> ProducerContext for Desk<R> {
    type DeliveryOpaque = Box<R::Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Self::DeliveryOpaque) {
        if result.is_ok() {
            self.repeats.confirmed.fetch_add(1, Ordering::AcqRel);
        }
        // A panic here would end the polling thread, and with it every receipt that is still to come.
        let told = catch_unwind(AssertUnwindSafe(|| match result {
            Ok(message) => {
                let delivery = Delivery { partition: message.partition(), offset: message.offset() };
                self.receipts.settled(*ticket, Ok(delivery));
            }
            Err((error, message)) => {
                let headers: Vec<_> = message
                    .headers()
                    .map(|headers| headers.iter().map(|header| (header.key, header.value)).collect())
                    .unwrap_or_default();
                let record = Outgoing {
                    topic: message.topic(),
                    partition: Some(message.partition()).filter(|partition| *partition >= 0),
                    timestamp_ms: message.timestamp().to_millis(),
                    key: message.key(),
                    value: message.payload(),
                    headers: &headers,
                };
                self.receipts.lost(*ticket, self.send_fault(error), record);
            }
        }));
        if told.is_err() {
            tracing::error!("a receipt panicked; the record itself was settled");
        }
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<R: Receipts> Desk<R> {
    fn send_fault(&self, error: &KafkaError) -> SendFault {
        let fault = SendFault::of(error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail));
        match (fault.cause, self.context.watch.ending()) {
            (SendCause::Closed | SendCause::Unconfirmed, Some(ending)) => SendFault::ended(&ending),
            _ => fault,
        }
    }
}
