//! A topic as a sink: rows become records, changes become upserts or envelopes. Exactly once means one transaction an
//! epoch, with the epoch itself committed in it, so that after a crash the topic says what it has seen.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::client::{Client, Marker, Refusal, TRANSACTION_TIMEOUT_MAX};
use super::form::{Form, Mode};
use super::key::{KeyFormat, Keys};
use super::settings::Connected;
use crate::connectors::contract::{BadRow, CREATED, Context, End, Op, Sink, SinkRequest, SinkRows};
use crate::connectors::options::Options;
use crate::core::environment::Guard;
use crate::core::fault::{Blame, Fault};
use crate::core::words::counted;
use crate::formats::contract::{Encoded, Encoder};
use crate::kafka::admin::Admin;
use crate::kafka::health::unless_refused;
use crate::kafka::producer::Outgoing;
use crate::kafka::settings::Connection;
use crate::kafka::transaction::TransactionFault;

/// How long a broker keeps a transaction open where nothing else is said.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(600);
/// Partitions of a topic that is created where nothing else is said: enough to spread keys, few enough for one broker.
const PARTITIONS: u64 = 3;
/// How long brokers are waited for by who only wants to know whether a topic is there: a person looks on.
const LOOK_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a sink that ends before its time waits for what it has sent, and for its transaction to be given up: a broker
/// that is there answers in a part of it, and another's heir ends what is left open.
const CLOSE_CONFIRM_MAX: Duration = Duration::from_secs(5);
/// Rows after which other tasks of this thread have their turn.
const TURN_ROWS: usize = 1_024;

/// A topic.
pub(super) struct KafkaSink {
    connected: Arc<Connected>,
    encoder: Box<dyn Encoder>,
    mode: Mode,
    key: Vec<usize>,
    key_format: KeyFormat,
    headers: Vec<(String, String)>,
    has_event_times: bool,
    /// Partitions of the topic where it has to be created.
    partitions: i32,
    client: Option<Client>,
    /// Records that clients before this one had to send again.
    repeated: u64,
    transaction: Option<Transaction>,
}

/// What exactly-once needs.
struct Transaction {
    id: String,
    timeout: Duration,
    marker: Option<Marker>,
    is_open: bool,
    committed: u64,
}

impl KafkaSink {
    pub fn new(request: &SinkRequest, options: &Options, context: &Context) -> Result<Self, Fault> {
        let connected = Arc::new(Connected::of(options, End::Sink, &request.name, context)?);
        let environment = connected.connection.environment();
        if environment.guard() == Guard::ReadOnly {
            let what = format!("`{}` cannot be written: {} is read-only", connected.topic, environment.environment);
            return Err(Fault::new(Blame::Operator, what).next("write to another environment, or change its `guard`"));
        }
        let Form { encoder, mode, key_format } = Form::of(request, options)?;
        if request.exactly_once && connected.connection.environment().is_embedded() {
            let what = format!(
                "`{}` cannot be written exactly once: the embedded broker forgets what a transaction commits",
                request.name
            );
            return Err(Fault::new(Blame::Operator, what).next("use at_least_once in the sandbox, or a real broker"));
        }
        let transaction = match request.exactly_once {
            true => Some(Transaction {
                id: options.get("transactional.id").map_or_else(|| format!("velox-{}", request.job), str::to_owned),
                timeout: options
                    .duration("transaction.timeout")?
                    .unwrap_or(TRANSACTION_TIMEOUT)
                    .min(TRANSACTION_TIMEOUT_MAX),
                marker: None,
                is_open: false,
                committed: 0,
            }),
            false => None,
        };
        let headers = options.under("headers.");
        Ok(Self {
            connected,
            encoder,
            mode,
            key: request.key.clone(),
            key_format,
            headers: headers.iter().map(|(name, value)| (name.to_owned(), value.text.clone())).collect(),
            has_event_times: !options.get("timestamp").is_some_and(|text| text.eq_ignore_ascii_case("now")),
            partitions: i32::try_from(options.number("sink.partitions")?.unwrap_or(PARTITIONS).max(1))
                .unwrap_or(i32::MAX),
            client: None,
            repeated: 0,
            transaction,
        })
    }

    fn client(&self) -> Result<&Client, Fault> {
        self.client
            .as_ref()
            .ok_or_else(|| Fault::new(Blame::Program, format!("the sink to `{}` is not open", self.connected.topic)))
    }

    /// Whether the topic is there.
    async fn has_topic(&self, admin: &Admin, timeout: Duration) -> Result<bool, Fault> {
        let asked = admin.cluster(Some(&self.connected.topic), timeout);
        match unless_refused(&self.connected.connection, asked).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.blame == Blame::Operator => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Creates the topic where it is not there.
    async fn ensure_topic(&self) -> Result<(), Fault> {
        let (topic, timeout) = (&self.connected.topic, self.connected.connection.request_timeout());
        let admin = Admin::open(&self.connected.connection)?;
        if !self.has_topic(&admin, timeout).await? {
            tracing::info!(target: CREATED, "{}", self.created());
            admin.create_topic(topic, self.partitions, timeout).await?;
        }
        Ok(())
    }

    /// What opening it would create, where its brokers say.
    pub async fn creates(&self) -> Option<String> {
        let admin = Admin::open(&self.connected.connection).ok()?;
        let timeout = self.connected.connection.request_timeout().min(LOOK_TIMEOUT);
        if self.has_topic(&admin, timeout).await.ok()? {
            return None;
        }
        Some(self.created())
    }

    fn created(&self) -> String {
        let partitions = counted(u64::try_from(self.partitions).unwrap_or(PARTITIONS), "partition");
        format!("the topic {} does not exist: it is created with {partitions}", self.connected.topic)
    }

    /// A fresh producer of the transactional id, and what it finds committed. Whatever was open is aborted.
    async fn claim(&mut self) -> Result<u64, Fault> {
        if let Some(client) = self.client.take() {
            self.repeated += client.repeated();
            client.close().await;
        }
        let Some(transaction) = &mut self.transaction else { return Ok(0) };
        let client = Client::open(&self.connected, Some((&transaction.id, transaction.timeout)))?;
        client.producer().init_transactions(client.timeout()).await.map_err(|failure| failure.fault)?;
        let marker = Marker::open(&self.connected, &transaction.id)?;
        transaction.committed = marker.committed().await?;
        transaction.marker = Some(marker);
        transaction.is_open = false;
        let committed = transaction.committed;
        self.client = Some(client);
        Ok(committed)
    }

    /// The epoch that the topic remembers.
    async fn committed(&self) -> Result<u64, Fault> {
        match self.transaction.as_ref().and_then(|transaction| transaction.marker.as_ref()) {
            Some(marker) => marker.committed().await,
            None => Ok(0),
        }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        let Some(transaction) = &mut self.transaction else { return Ok(()) };
        if !transaction.is_open {
            let client = self.client.as_ref().ok_or_else(|| Fault::new(Blame::Program, "the sink is not open"))?;
            client.producer().begin_transaction().map_err(|failure| failure.fault)?;
            transaction.is_open = true;
        }
        Ok(())
    }

    async fn commit_with_mark(&self, epoch: u64) -> Result<(), TransactionFault> {
        let program = |fault: Fault| TransactionFault { fault, can_abort: true, is_fenced: false };
        let client = self.client().map_err(program)?;
        if let Some(marker) = self.transaction.as_ref().and_then(|transaction| transaction.marker.as_ref()) {
            let (offsets, group) = marker.of(epoch).map_err(program)?;
            client.producer().send_offsets(offsets, group, client.timeout()).await?;
        }
        client.producer().commit_transaction(client.timeout()).await
    }

    /// Sends the records of a batch. Of a replaced row whose key changes, the old key is deleted.
    async fn send(&self, rows: &SinkRows, keys: &Keys, encoded: &Encoded) -> Result<Vec<BadRow>, Fault> {
        let client = self.client()?;
        let headers: Vec<(&str, Option<&[u8]>)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), Some(value.as_bytes()))).collect();
        let op_of = |row: usize| rows.ops.as_ref().map_or(Op::Insert, |ops| Op::of(ops.value(row)));
        let mut bad: Vec<BadRow> = encoded
            .bad
            .iter()
            .map(|bad| BadRow { row: bad.record as usize, class: bad.class, message: bad.message.clone() })
            .collect();
        let unwritten: Vec<usize> = bad.iter().map(|bad| bad.row).collect();
        for row in 0..rows.batch.num_rows() {
            if row % TURN_ROWS == TURN_ROWS - 1 {
                tokio::task::yield_now().await;
            }
            if unwritten.contains(&row) {
                continue;
            }
            let key = keys.get(row);
            let start = row.checked_sub(1).map_or(0, |before| encoded.ends[before]);
            let value = &encoded.bytes[start..encoded.ends[row]];
            let value = match (self.mode, op_of(row)) {
                (Mode::Changes, Op::UpdateBefore) | (Mode::Append, Op::UpdateBefore | Op::Delete) => continue,
                (Mode::Upsert, Op::UpdateBefore) => {
                    if keys.get(row + 1) == key {
                        continue;
                    }
                    None
                }
                (Mode::Upsert, Op::Delete) => None,
                _ => Some(value),
            };
            let time = rows.times[row];
            let record = Outgoing {
                topic: &self.connected.topic,
                partition: None,
                timestamp_ms: (self.has_event_times && time >= 0).then_some(time),
                key,
                value,
                headers: &headers,
            };
            match client.send(record).await {
                Ok(()) => {}
                Err(Refusal::Record(fault)) => bad.push(BadRow { row, class: "too_large", message: fault.what }),
                Err(Refusal::End(fault)) => return Err(fault),
            }
        }
        Ok(bad)
    }
}

#[async_trait]
impl Sink for KafkaSink {
    async fn open(&mut self) -> Result<Option<u64>, Fault> {
        self.ensure_topic().await?;
        if self.transaction.is_some() {
            return self.claim().await.map(Some);
        }
        self.client = Some(Client::open(&self.connected, None)?);
        Ok(None)
    }

    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        if rows.batch.num_rows() == 0 {
            return Ok(Vec::new());
        }
        self.client()?.check()?;
        self.begin()?;
        let encoded = self.encoder.encode_changes(&rows.batch, rows.ops.as_ref())?;
        let keys = rows
            .batch
            .project(&self.key)
            .map_err(|error| Fault::new(Blame::Program, format!("a key that is not there: {error}")))?;
        let keys = Keys::of(&keys, self.key_format)?;
        self.send(&rows, &keys, &encoded).await
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        self.client()?.flush().await
    }

    async fn prepare(&mut self, epoch: u64) -> Result<Option<String>, Fault> {
        if self.transaction.is_none() {
            self.client()?.flush().await?;
            return Ok(None);
        }
        // An epoch without a row is committed too: the mark must not fall behind the checkpoints that are kept.
        self.begin()?;
        self.client()?.flush().await?;
        Ok(Some(epoch.to_string()))
    }

    async fn commit(&mut self, epoch: u64, _prepared: &str) -> Result<(), Fault> {
        let Some(transaction) = &self.transaction else { return Ok(()) };
        if epoch <= transaction.committed {
            return Ok(());
        }
        if !transaction.is_open {
            let what = format!("the transaction of epoch {epoch} to `{}` is gone", self.connected.topic);
            return Err(Fault::new(Blame::Program, what)
                .next(format!("start the job again: it goes on from epoch {}", transaction.committed)));
        }
        if let Err(failure) = self.commit_with_mark(epoch).await {
            if let Some(gone) = self.client()?.missing().await {
                return Err(gone);
            }
            // Nobody knows whether it was committed but the broker: a fresh producer settles it, then we ask. Whoever has
            // taken the id over has settled it, and keeps it.
            let committed = if failure.is_fenced { self.committed().await? } else { self.claim().await? };
            if committed < epoch {
                let next = format!("start the job again: it goes on from epoch {committed}");
                return Err(failure.fault.next(next));
            }
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.committed = epoch;
            transaction.is_open = false;
        }
        Ok(())
    }

    fn connection(&self) -> Option<Connection> {
        Some(self.connected.connection.clone())
    }

    fn retries(&self) -> u64 {
        self.repeated + self.client.as_ref().map_or(0, Client::repeated)
    }

    async fn close(&mut self, is_clean: bool) -> Result<(), Fault> {
        let Some(client) = self.client.take() else { return Ok(()) };
        let mut outcome = Ok(());
        match &mut self.transaction {
            Some(transaction) if transaction.is_open => {
                transaction.is_open = false;
                if is_clean {
                    outcome = client.flush().await;
                }
                if is_clean && outcome.is_ok() {
                    outcome =
                        client.producer().commit_transaction(client.timeout()).await.map_err(|failure| failure.fault);
                } else if let Err(failure) =
                    client.producer().abort_transaction(client.timeout().min(CLOSE_CONFIRM_MAX)).await
                {
                    // A broker that had not begun it yet has nothing to end; whoever claims the id next ends what it has.
                    tracing::debug!(target: "velox::kafka", "{}", failure.fault);
                }
            }
            Some(_) => {}
            None if is_clean => outcome = client.flush().await,
            None => outcome = client.flush_within(CLOSE_CONFIRM_MAX).await,
        }
        client.close().await;
        outcome
    }
}
