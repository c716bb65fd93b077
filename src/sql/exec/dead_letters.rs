//! Where records go that could not be processed: a topic, whole, with the headers that say why. It loses none: a
//! checkpoint waits until all of its dead letters are confirmed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::connectors::contract::{BadRecord, RawRecord};
use crate::core::environment::ProducerSettings;
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;
use crate::core::record::Delivery;
use crate::kafka::cause::SendFault;
use crate::kafka::producer::{EnqueueFault, Outgoing, Producer, Receipts, counts_repeats};
use crate::kafka::settings::Connection;

/// Where bad records go.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Takes records; waits where the system behind it is slow.
    async fn send(&self, letters: &[Letter<'_>]) -> Result<(), Fault>;
    /// Everything taken is durable when this returns.
    async fn flush(&self) -> Result<(), Fault>;
    /// Records that had to be sent again so far.
    fn retries(&self) -> u64 {
        0
    }
}

/// A bad record with what is known of its job.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// The record and why.
    pub bad: &'a BadRecord,
    /// Name of the job.
    pub job: &'a str,
    /// Label of the operator.
    pub operator: &'a str,
    /// How often it was tried.
    pub attempts: u32,
    /// When it failed first, milliseconds since 1970.
    pub first_seen_ms: i64,
}

/// What stands before each name of a header that says why: design/kafka.md §6.
const HEADER: &str = "__velox.errors.";

impl Letter<'_> {
    /// The headers that say why, in the order of the design.
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let RawRecord { topic, partition, offset, timestamp_ms, .. } = &self.bad.record;
        let pairs = [
            ("topic", topic.to_string()),
            ("partition", partition.to_string()),
            ("offset", offset.to_string()),
            ("timestamp", timestamp_ms.map(|time| time.to_string()).unwrap_or_default()),
            ("app", self.job.to_owned()),
            ("query", self.operator.to_owned()),
            ("stage", self.bad.stage.to_owned()),
            ("class", self.bad.class.to_owned()),
            ("message", self.bad.message.clone()),
            ("attempts", self.attempts.to_string()),
            ("first_seen", self.first_seen_ms.to_string()),
        ];
        pairs.into_iter().map(|(name, value)| (format!("{HEADER}{name}"), value.into_bytes())).collect()
    }
}

/// How long a checkpoint waits for its dead letters to be confirmed: librdkafka gives a record up after five minutes,
/// a broker that is well answers in seconds.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);
/// How long to wait for room in the producer's queue where no receipt wakes earlier.
const ROOM_WAIT: Duration = Duration::from_millis(100);

/// A topic for dead letters.
pub struct DeadLetterTopic {
    topic: String,
    producer: Producer<Confirmations>,
    confirmations: Arc<Confirmations>,
}

#[derive(Default)]
struct Confirmations {
    settled: Notify,
    lost: AtomicU64,
    reason: std::sync::Mutex<Option<SendFault>>,
}

impl Receipts for Confirmations {
    type Ticket = ();

    fn settled(&self, (): (), outcome: Result<Delivery, SendFault>) {
        if let Err(fault) = outcome {
            self.lost.fetch_add(1, Ordering::AcqRel);
            let mut reason = self.reason.hold();
            reason.get_or_insert(fault);
        }
        self.settled.notify_waiters();
    }
}

impl DeadLetterTopic {
    /// A topic of the connection's cluster.
    ///
    /// # Errors
    /// Settings that no producer can be made of.
    pub fn open(connection: &Connection, topic: &str) -> Result<Self, Fault> {
        let confirmations = Arc::new(Confirmations::default());
        let mut config = connection.producer_config(&ProducerSettings::default())?;
        counts_repeats(&mut config);
        let producer = Producer::open_with(connection, &config, Arc::clone(&confirmations))?;
        Ok(Self { topic: topic.to_owned(), producer, confirmations })
    }

    fn lost(&self) -> Result<(), Fault> {
        if self.confirmations.lost.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        let reason = self.confirmations.reason.hold();
        let why = reason.as_ref().map(|fault| fault.what.clone()).unwrap_or_default();
        Err(self.fault(&why))
    }

    fn fault(&self, why: &str) -> Fault {
        Fault::new(Blame::Connection, format!("dead letters cannot be written to `{}`: {why}", self.topic))
            .next("see that the topic exists and may be written to; the job goes on from its last checkpoint")
    }
}

#[async_trait]
impl DeadLetters for DeadLetterTopic {
    async fn send(&self, letters: &[Letter<'_>]) -> Result<(), Fault> {
        for letter in letters {
            let added = letter.headers();
            let record = &letter.bad.record;
            let own = record.headers.iter().map(|(name, value)| (name.as_ref(), value.as_deref()));
            let headers: Vec<(&str, Option<&[u8]>)> =
                own.chain(added.iter().map(|(name, value)| (name.as_str(), Some(value.as_slice())))).collect();
            let outgoing = Outgoing {
                topic: &self.topic,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                headers: &headers,
                ..Outgoing::default()
            };
            loop {
                self.lost()?;
                let settled = self.confirmations.settled.notified();
                match self.producer.enqueue(outgoing, ()) {
                    Ok(()) => break,
                    Err((EnqueueFault::Refused(fault), ())) => return Err(self.fault(&fault.what)),
                    Err((EnqueueFault::QueueFull, ())) => {
                        tokio::time::timeout(ROOM_WAIT, settled).await.ok();
                    }
                }
            }
        }
        Ok(())
    }

    async fn flush(&self) -> Result<(), Fault> {
        if let Err(left) = self.producer.flush(FLUSH_TIMEOUT).await {
            return Err(self.fault(&format!("{left} are not confirmed after {} s", FLUSH_TIMEOUT.as_secs())));
        }
        self.lost()
    }

    fn retries(&self) -> u64 {
        self.producer.repeated()
    }
}
