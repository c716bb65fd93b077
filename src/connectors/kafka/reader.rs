//! Reads one partition: a named thread decodes straight from librdkafka's memory, an async caller takes batches. Nothing
//! is joined or committed. The thread ends with the reader.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::Offset;

use super::begin::{gone, instead, made_anew};
use super::columns::{Kept, raw_record};
use super::key::KeyFormat;
use super::keyed::Keys;
use super::opened::{assign, opened};
use super::place::{Owner, Place};
use super::settings::{Connected, Lost, Start};
use super::trouble::trouble;
use crate::clock;
use crate::connectors::contract::{
    BATCH_WAIT, BadRecord, Columns, Op, Position, Pull, ReaderProgress, SourceRows, SplitReader, system_columns,
};
use crate::connectors::encoding::Format;
use crate::connectors::thread::{self, BATCH_BYTES_MAX, Handed, Hands, Orders};
use crate::core::fault::{Blame, Fault};
use crate::formats::contract::{Decoder, Malformed};
use crate::kafka::admin::{off_the_async_threads, watermarks};
use crate::kafka::context::{Context as ClientContext, Watch};
use crate::kafka::embedded::EmbeddedBroker;

/// How long records that are known to be there are waited for: a broker that changes its leader is back within it.
const CATCH_UP_WAIT: Duration = Duration::from_secs(30);
/// How long one look at the queue may last: the delay of an ending.
const LOOK: Duration = Duration::from_millis(50);

/// One partition, and how to read it.
pub(super) struct ReaderSettings {
    pub connected: Arc<Connected>,
    pub partition: i32,
    /// The next offset by a checkpoint.
    pub from: Option<i64>,
    /// The topic's id by that checkpoint, or the mark of the broker inside this process.
    pub of: Option<Arc<str>>,
    pub lost: Lost,
    pub start: Start,
    /// Bounded reading: the offset to end before.
    pub end: Option<i64>,
    pub isolation: String,
    pub group: Option<String>,
    pub format: Format,
    pub schema: SchemaRef,
    pub columns: Columns,
    pub key_fields: Vec<usize>,
    pub primary_key: Vec<usize>,
    pub key_format: KeyFormat,
}

/// The async side.
pub(super) struct KafkaReader {
    hands: Hands<Worker>,
    next: i64,
    lag: Option<u64>,
    /// Where the partition ended when it was opened.
    end: i64,
    /// Whether it has been read that far.
    has_caught_up: bool,
    /// What went wrong with its client.
    watch: Arc<Watch>,
    /// The topic that its offsets are of: its id, or the mark of the broker inside this process.
    of: Option<Arc<str>>,
}

impl KafkaReader {
    pub async fn open(settings: ReaderSettings) -> Result<Self, Fault> {
        let worker = off_the_async_threads(move || Worker::open(settings).map(Box::new)).await?;
        let (next, end) = (worker.next, worker.high);
        let lag = u64::try_from(end - next).ok();
        let (of, watch) = (worker.owner.of(), Arc::clone(&worker.consumer.context().watch));
        Ok(Self { hands: Hands::of(worker), next, lag, end, has_caught_up: next >= end, watch, of })
    }
}

#[async_trait]
impl SplitReader for KafkaReader {
    async fn next(&mut self, rows_max: usize, wait: Duration) -> Result<Pull, Fault> {
        // Idle means that nothing is there: while records are known to be, they are waited for.
        let wait = if self.has_caught_up { wait } else { wait.max(CATCH_UP_WAIT) };
        Ok(match self.hands.next(rows_max, wait).await? {
            Some(Handed::Rows(rows, stand)) => {
                (self.next, self.lag, self.of) = (stand.next, stand.lag, stand.of);
                self.has_caught_up |= stand.next >= self.end;
                Pull::Rows(rows)
            }
            Some(Handed::CaughtUp(stand)) => {
                (self.next, self.lag, self.of) = (stand.next, stand.lag, stand.of);
                self.has_caught_up = true;
                Pull::Idle
            }
            Some(Handed::End) => {
                self.lag = Some(0);
                Pull::End
            }
            None => Pull::Idle,
        })
    }

    fn position(&self) -> Position {
        Place::Before { offset: self.next, of: self.of.clone() }.position()
    }

    fn progress(&self) -> ReaderProgress {
        ReaderProgress { bytes: None, lag: self.lag, retries: self.watch.passed() }
    }
}

/// How far the thread is.
struct Stand {
    next: i64,
    lag: Option<u64>,
    of: Option<Arc<str>>,
}

/// The thread's side.
struct Worker {
    settings: ReaderSettings,
    consumer: BaseConsumer<ClientContext>,
    topic: Arc<str>,
    decoder: Box<dyn Decoder>,
    kept: Kept,
    keys: Option<Keys>,
    schema: SchemaRef,
    next: i64,
    /// Whose next offset that is.
    owner: Owner,
    /// Where the partition ended when it was opened.
    high: i64,
    /// Nothing is left before here that can be read now.
    is_caught_up: bool,
    /// Whether the caller knows that.
    has_told: bool,
    tombstones: Vec<u32>,
    early_bad: Vec<(BadRecord, u32)>,
}

impl thread::Worker for Worker {
    type Place = Stand;

    fn name(&self) -> String {
        format!("{}-{}", self.settings.connected.topic, self.settings.partition)
    }

    fn look(&mut self, orders: &Orders) -> Result<Option<Handed<Stand>>, Fault> {
        if let Some(rows) = self.collect(orders.rows_max())? {
            self.has_told = false;
            return Ok(Some(Handed::Rows(rows, self.stand())));
        }
        if self.is_at_end() {
            return Ok(Some(Handed::End));
        }
        let is_new = self.is_caught_up && !self.has_told;
        self.has_told |= is_new;
        Ok(is_new.then(|| Handed::CaughtUp(self.stand())))
    }
}

impl Worker {
    fn open(settings: ReaderSettings) -> Result<Self, Fault> {
        let connection = &settings.connected.connection;
        let topic: Arc<str> = settings.connected.topic.as_str().into();
        let (consumer, next, high) = opened(&settings)?;
        let fields = settings.columns.fields.clone();
        let decoder = settings.format.decoder(&settings.schema, &fields)?;
        let mut columns: Vec<_> = fields.iter().map(|at| settings.schema.fields()[*at].clone()).collect();
        columns.extend(settings.columns.system.iter().filter_map(|name| system_columns::field(name).map(Arc::new)));
        let is_embedded = connection.environment().is_embedded();
        let owner = match is_embedded {
            true => Owner::broker(EmbeddedBroker::incarnation()),
            false => Owner::topic(settings.of.clone()),
        };
        let keys = Keys::of(&settings)?;
        let kept = Kept::new(&topic, settings.partition, &settings.columns);
        Ok(Self {
            consumer,
            decoder,
            kept,
            keys,
            schema: Arc::new(Schema::new(columns)),
            next,
            owner,
            high,
            is_caught_up: false,
            has_told: false,
            tombstones: Vec::new(),
            early_bad: Vec::new(),
            topic,
            settings,
        })
    }

    fn is_at_end(&self) -> bool {
        self.settings.end.is_some_and(|end| self.next >= end || self.is_caught_up)
    }

    /// The topic is another one: no offset of it has been read, whatever was read of the one before.
    fn begin_anew(&mut self) -> Result<(), Fault> {
        let (connected, partition) = (&self.settings.connected, self.settings.partition);
        let fault = made_anew(&self.topic, partition, self.next);
        let timeout = connected.connection.request_timeout();
        let marks = watermarks(&self.consumer, &connected.connection, &self.topic, partition, timeout)?;
        (self.next, self.high) = instead(&self.settings, marks, fault)?;
        self.is_caught_up = false;
        assign(&self.settings, &self.consumer, self.next)
    }

    fn stand(&self) -> Stand {
        Stand { next: self.next, lag: self.lag(), of: self.owner.of() }
    }

    fn lag(&self) -> Option<u64> {
        if self.is_caught_up {
            return Some(0);
        }
        let ends = self.consumer.context().watch.ends_of(&self.topic).unwrap_or_default();
        let known = ends.get(&self.settings.partition).map_or(self.high, |end| self.high.max(*end));
        let end = self.settings.end.unwrap_or(known);
        Some(u64::try_from(end - self.next).unwrap_or(0))
    }

    /// The next rows; `None` where none came within a look, or the end is reached.
    fn collect(&mut self, most: usize) -> Result<Option<SourceRows>, Fault> {
        if self.is_at_end() {
            return Ok(None);
        }
        let (mut records, mut bytes) = (0_u32, 0_u64);
        let mut first: Option<Instant> = None;
        let mut now_ms = 0;
        // A Debezium record may be two rows.
        let per_record = if self.settings.format == Format::Debezium { 2 } else { 1 };
        while (records as usize + 1) * per_record <= most.max(per_record) && bytes < BATCH_BYTES_MAX {
            let look = match first {
                None => LOOK,
                Some(first) => BATCH_WAIT.saturating_sub(first.elapsed()),
            };
            let polled = self.consumer.poll(look);
            if self.owner.is_another(&self.consumer.context().watch.ids, &self.topic) {
                drop(polled);
                self.begin_anew()?;
                continue;
            }
            match polled {
                Some(Ok(message)) => {
                    if self.settings.end.is_some_and(|end| message.offset() >= end) {
                        self.next = message.offset();
                        break;
                    }
                    if first.is_none() {
                        first = Some(Instant::now());
                        now_ms = clock::now_ms();
                    }
                    bytes += (message.payload_len() + message.key_len()) as u64;
                    self.kept.note(&message, now_ms);
                    self.next = message.offset() + 1;
                    self.is_caught_up = false;
                    let is_good = self.decoder.push(message.payload());
                    let key = match &mut self.keys {
                        Some(keys) if is_good => keys.push(message.key(), records, message.payload().is_none()),
                        _ => Ok(()),
                    };
                    if !is_good || key.is_err() {
                        let bad = BadRecord {
                            record: raw_record(&message, &self.topic),
                            stage: "decode",
                            class: "malformed",
                            message: String::new(),
                        };
                        let bad = match key {
                            Err(why) => BadRecord { class: why.class, message: why.line(), ..bad },
                            Ok(()) => bad,
                        };
                        self.early_bad.push((bad, records));
                    } else if message.payload().is_none() && !self.settings.primary_key.is_empty() {
                        self.tombstones.push(records);
                    }
                    records += 1;
                    if self.settings.end.is_some_and(|end| self.next >= end) {
                        break;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    self.is_caught_up = true;
                    // What ends a transaction takes an offset and is no record.
                    if let Ok(positions) = self.consumer.position()
                        && let Some(Offset::Offset(offset)) =
                            positions.find_partition(&self.topic, self.settings.partition).map(|found| found.offset())
                    {
                        self.next = self.next.max(offset);
                    }
                    if self.settings.end.is_some() {
                        break;
                    }
                }
                Some(Err(error)) => self.trouble(&error)?,
                None => {
                    if let Some(fault) = self.consumer.context().watch.ending() {
                        return Err(fault);
                    }
                    break;
                }
            }
        }
        if records == 0 {
            return Ok(None);
        }
        self.rows(records, bytes).map(Some)
    }

    fn trouble(&self, error: &KafkaError) -> Result<(), Fault> {
        let is_unknown = error.rdkafka_error_code().is_some_and(|code| {
            matches!(code, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)
        });
        // Who reads on without an end waits for its topic: the source says so.
        if is_unknown && self.settings.end.is_none() {
            return Ok(());
        }
        let connection = &self.settings.connected.connection;
        trouble(error, &self.topic, connection.name(), &self.consumer.context().watch, || {
            gone(&self.topic, self.settings.partition, self.next)
        })
    }

    fn rows(&mut self, records: u32, bytes: u64) -> Result<SourceRows, Fault> {
        let decoded = self.decoder.finish()?;
        let mut bad = self.bad(decoded.bad);
        let (mut batch, mut sources, mut ops) = (decoded.batch, decoded.sources, decoded.ops);
        if let Some(keys) = &mut self.keys {
            let (columns, known) = keys.finish()?;
            (batch, sources, ops) = keys.joined(batch, sources, ops, &columns, &known, &self.tombstones)?;
        }
        self.tombstones.clear();
        let times = self.kept.times.clone();
        let row_times: Vec<i64> = match &sources {
            Some(sources) => sources.iter().map(|source| times[*source as usize]).collect(),
            None => times,
        };
        let (system, origins) = self.kept.finish(sources.as_deref())?;
        let count = row_times.len();
        let mut columns = batch.columns().to_vec();
        columns.extend(system);
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| Fault::new(Blame::Program, format!("columns of `{}`: {error}", self.topic)))?;
        bad.sort_by_key(|bad| bad.record.offset);
        debug_assert!(bad.len() <= records as usize);
        let mut with_rows = sources;
        if let Some(sources) = &mut with_rows {
            sources.dedup();
        }
        let given = with_rows.map_or(records as usize, |sources| sources.len());
        let skipped = (records as usize).saturating_sub(given + bad.len()) as u64;
        Ok(SourceRows {
            batch,
            times: ScalarBuffer::from(row_times),
            ops: ops.filter(|ops| ops.values().iter().any(|op| *op != Op::Insert as i8)),
            origins: origins.map(Arc::new),
            bad,
            skipped,
            bytes,
        })
    }

    /// The bad records with what the decoder says of them.
    fn bad(&mut self, said: Vec<Malformed>) -> Vec<BadRecord> {
        let kept = std::mem::take(&mut self.early_bad);
        let mut said = said.into_iter().peekable();
        kept.into_iter()
            .map(|(bad, record)| match said.next_if(|malformed| malformed.record == record) {
                Some(malformed) => BadRecord { class: malformed.class, message: malformed.message, ..bad },
                None => bad,
            })
            .collect()
    }
}
