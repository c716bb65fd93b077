//! The producer behind a sink: it counts what is confirmed and keeps the first loss, which ends the job. What happens to
//! a transaction is the sink's to say.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::settings::Connected;
use crate::core::duration::told;
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;
use crate::core::record::Delivery;
use crate::core::words::counted;
use crate::kafka::admin::{Admin, off_the_async_threads};
use crate::kafka::cause::{SendFault, call_fault};
use crate::kafka::context::Context as ClientContext;
use crate::kafka::producer::{EnqueueFault, Outgoing, Producer, Receipts, counts_repeats};
use crate::kafka::settings::Connection;

/// How long records wait before it is asked whether their topic is still there: twice what a broker takes on a bad day.
const GONE_LOOK: Duration = Duration::from_secs(2);
/// How long the answer is waited for.
const GONE_ANSWER: Duration = Duration::from_secs(3);
/// What helps where the topic of a transactional sink is gone: what it remembered of checkpoints is gone with it.
const BEGIN_ANEW: &str = "what it held is gone, and so is what it remembered of the checkpoints: begin anew, with another \
                          --state-dir, or of a deployed job by `jobs resume NAME --from-scratch`";
/// librdkafka frees a record's place a moment after its receipt; a full queue is looked at again this soon.
const ROOM_LOOK: Duration = Duration::from_millis(2);
/// The largest a transaction may be in time where the broker keeps its own default (15 minutes).
pub(super) const TRANSACTION_TIMEOUT_MAX: Duration = Duration::from_secs(900);

/// Receipts of one sink: only losses are worth a word.
#[derive(Default)]
pub(super) struct Ledger {
    lost: AtomicU64,
    first_loss: Mutex<Option<SendFault>>,
}

impl Receipts for Ledger {
    type Ticket = ();

    fn settled(&self, (): (), outcome: Result<Delivery, SendFault>) {
        if let Err(fault) = outcome {
            self.lost.fetch_add(1, Ordering::AcqRel);
            self.first_loss.hold().get_or_insert(fault);
        }
    }
}

/// A producer for one topic.
pub(super) struct Client {
    producer: Producer<Ledger>,
    ledger: Arc<Ledger>,
    connection: Connection,
    topic: String,
    /// Whether it writes in transactions.
    is_transactional: bool,
    timeout: Duration,
}

/// Why a record was not taken.
pub(super) enum Refusal {
    /// This record can never be sent; the others can.
    Record(SendFault),
    /// Nothing can be sent any more.
    End(Fault),
}

impl Client {
    /// Opens it; `transactional_id` makes it one that writes in transactions.
    pub fn open(connected: &Connected, transactional: Option<(&str, Duration)>) -> Result<Self, Fault> {
        let connection = &connected.connection;
        let settings = &connection.environment().producer;
        let mut config: ClientConfig = connection.producer_config(settings)?;
        if config.get("partitioner").is_none() {
            // As Java's clients place keys, so that topics of both can be joined partition by partition.
            config.set("partitioner", "murmur2_random");
        }
        counts_repeats(&mut config);
        let mut timeout = connection.delivery_timeout(settings);
        if let Some((id, transaction_timeout)) = transactional {
            let transaction_timeout = transaction_timeout.clamp(Duration::from_secs(1), TRANSACTION_TIMEOUT_MAX);
            timeout = timeout.min(transaction_timeout);
            config
                .set("transactional.id", id)
                .set("transaction.timeout.ms", transaction_timeout.as_millis().to_string())
                .set("message.timeout.ms", timeout.as_millis().to_string())
                .set("enable.idempotence", "true")
                .set("acks", "all")
                .set("retries", i32::MAX.to_string());
        }
        let ledger = Arc::new(Ledger::default());
        let producer = Producer::open_with(connection, &config, ledger.clone())?;
        let (connection, topic) = (connection.clone(), connected.topic.clone());
        Ok(Self { producer, ledger, connection, topic, is_transactional: transactional.is_some(), timeout })
    }

    /// Queues one record; waits while the queue is full.
    pub async fn send(&self, record: Outgoing<'_>) -> Result<(), Refusal> {
        loop {
            match self.producer.enqueue(record, ()) {
                Ok(()) => return Ok(()),
                Err((EnqueueFault::QueueFull, ())) => {
                    tokio::select! {
                        room = self.room() => room.map_err(Refusal::End)?,
                        gone = self.topic_is_gone() => return Err(Refusal::End(gone)),
                    }
                }
                Err((EnqueueFault::Refused(fault), ())) => {
                    return Err(match self.producer.ending() {
                        Some(ending) => Refusal::End(ending),
                        None if is_about_the_record(&fault) => Refusal::Record(fault),
                        None => Refusal::End(self.fault(&fault, 1)),
                    });
                }
            }
        }
    }

    /// Waits until the queue has room again.
    async fn room(&self) -> Result<(), Fault> {
        // A queue that is empty by now has room, too.
        let full = self.producer.in_flight().max(1);
        while full <= self.producer.in_flight() {
            self.check()?;
            tokio::time::sleep(ROOM_LOOK).await;
        }
        Ok(())
    }

    /// Everything that was sent is confirmed when this returns.
    pub async fn flush(&self) -> Result<(), Fault> {
        tokio::select! {
            flushed = self.flush_within(self.timeout) => flushed,
            gone = self.topic_is_gone() => Err(gone),
        }
    }

    /// Ends when the topic is not there, which it looks at while records wait for longer than they should. librdkafka asks
    /// to add it to a transaction again and again, until the records expire; without one it says so itself.
    async fn topic_is_gone(&self) -> Fault {
        if !self.is_transactional {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(GONE_LOOK).await;
            if let Some(gone) = self.missing().await {
                return gone;
            }
        }
    }

    /// That the topic is not there, where brokers say so.
    pub async fn missing(&self) -> Option<Fault> {
        let admin = Admin::open(&self.connection).ok()?;
        let timeout = self.connection.request_timeout().min(GONE_ANSWER);
        let fault = admin.cluster(Some(&self.topic), timeout).await.err()?;
        if fault.blame != Blame::Operator {
            return None;
        }
        let waiting = match self.producer.in_flight() {
            0 => String::new(),
            records => format!(", and {} of this transaction wait for it", counted(records as u64, "record")),
        };
        let what = format!("topic `{}` is gone from {}{waiting}", self.topic, self.connection.name());
        Some(Fault::new(Blame::Operator, what).next(BEGIN_ANEW))
    }

    /// The same, for who waits no longer than `most`.
    pub async fn flush_within(&self, most: Duration) -> Result<(), Fault> {
        let most = most.min(self.timeout);
        if let Err(left) = self.producer.flush(most).await {
            let what = format!("{left} records to `{}` were not confirmed within {}", self.topic, told(most));
            return Err(Fault::new(Blame::Connection, what));
        }
        self.check()
    }

    /// Whether everything that was settled was delivered.
    pub fn check(&self) -> Result<(), Fault> {
        if let Some(ending) = self.producer.ending() {
            return Err(ending);
        }
        let lost = self.ledger.lost.load(Ordering::Acquire);
        if lost == 0 {
            return Ok(());
        }
        let first = self.ledger.first_loss.hold().clone();
        Err(first.map_or_else(
            || Fault::new(Blame::Connection, format!("{lost} records to `{}` were lost", self.topic)),
            |fault| self.fault(&fault, lost),
        ))
    }

    fn fault(&self, fault: &SendFault, lost: u64) -> Fault {
        let what = format!("{lost} records to `{}` were not delivered, the first: {}", self.topic, fault.what);
        Fault { what, ..fault.clone().into() }
    }

    /// Records that had to be sent again so far.
    pub fn repeated(&self) -> u64 {
        self.producer.repeated()
    }

    /// The producer itself, for transactions.
    pub fn producer(&self) -> &Producer<Ledger> {
        &self.producer
    }

    /// Longest wait for a step of a transaction.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Closes it; what waits and was not flushed is given up.
    pub async fn close(self) {
        self.producer.close().await;
    }
}

fn is_about_the_record(fault: &SendFault) -> bool {
    matches!(fault.cause, crate::kafka::cause::SendCause::TooLarge)
}

/// The group in which a transactional sink keeps its epoch: the committed offset of the topic's first partition.
pub(super) struct Marker {
    consumer: Arc<BaseConsumer<ClientContext>>,
    connected: Arc<Connected>,
}

impl Marker {
    pub fn open(connected: &Arc<Connected>, group: &str) -> Result<Self, Fault> {
        let connection = &connected.connection;
        let mut config = connection.consumer_config(&connection.environment().consumer)?;
        // An offset of a transaction that is not decided yet must be waited for, not overlooked.
        config.set("group.id", group).set("isolation.level", "read_committed");
        let consumer: BaseConsumer<ClientContext> = config
            .create_with_context(connection.context())
            .map_err(|error| connection.scrubber().clean(call_fault("open a consumer", &error)))?;
        Ok(Self { consumer: Arc::new(consumer), connected: connected.clone() })
    }

    /// The newest epoch whose transaction was committed; 0 where there was none.
    pub async fn committed(&self) -> Result<u64, Fault> {
        let (consumer, connected) = (self.consumer.clone(), self.connected.clone());
        off_the_async_threads(move || {
            let connection = &connected.connection;
            let failed = |error: KafkaError| {
                let doing = format!("read the committed epoch of `{}`", connected.topic);
                connection.scrubber().clean(call_fault(&doing, &error))
            };
            let mut wanted = TopicPartitionList::with_capacity(1);
            wanted.add_partition_offset(&connected.topic, 0, Offset::Invalid).map_err(failed)?;
            let found = consumer.committed_offsets(wanted, connection.request_timeout()).map_err(failed)?;
            Ok(match found.find_partition(&connected.topic, 0).map(|found| found.offset()) {
                Some(Offset::Offset(epoch)) => u64::try_from(epoch).unwrap_or(0),
                _ => 0,
            })
        })
        .await
    }

    /// The mark of an epoch, for a transaction.
    pub fn of(&self, epoch: u64) -> Result<(TopicPartitionList, ConsumerGroupMetadata), Fault> {
        let mut offsets = TopicPartitionList::with_capacity(1);
        let offset = Offset::Offset(i64::try_from(epoch).unwrap_or(i64::MAX));
        offsets
            .add_partition_offset(&self.connected.topic, 0, offset)
            .map_err(|error| call_fault("mark an epoch", &error))?;
        let group = self
            .consumer
            .group_metadata()
            .ok_or_else(|| Fault::new(Blame::Program, "the group of a transactional sink is not known"))?;
        Ok((offsets, group))
    }
}
