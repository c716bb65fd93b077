//! The contract of a connector: parameters, check, source, sink. Values and traits only; it opens nothing itself.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int8Array, RecordBatch};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::options::Options;
use crate::core::fault::Fault;
use crate::core::record::Headers;
use crate::kafka::settings::Connection;

/// Rows of one batch where nobody asks for fewer: large enough that the cost of a batch vanishes, small enough that one
/// batch of 1 KB records (8 MiB) stays in the cache of a core's neighbours.
pub const BATCH_ROWS_MAX: usize = 8_192;
/// How long a reader may hold back rows to fill a batch: a tenth of what a person notices, so one record per second is
/// as alive as a million.
pub const BATCH_WAIT: Duration = Duration::from_millis(20);

/// A kind of system that rows come from or go to.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The name in `'connector' = '…'`, which is also the scheme of its URIs: `kafka`, `file`.
    fn name(&self) -> &'static str;
    /// One line for a person who chooses.
    fn help(&self) -> &'static str;
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// Its options: they drive validation, JSON Schema, completion and forms.
    fn parameters(&self) -> &'static [Parameter];
    /// The options that a URI of this connector says; `uri` begins with its scheme.
    fn uri(&self, uri: &str) -> Result<Options, Fault>;
    /// What is wrong with a sink as it is asked for. It opens nothing, and asks no system whether it is there.
    fn check(&self, request: &SinkRequest, context: &Context) -> Result<(), Fault>;
    /// A source of rows; its schema is known when this returns (declared, read from the data, or inferred).
    async fn source(&self, request: SourceRequest, context: &Context) -> Result<Arc<dyn Source>, Fault>;
    /// The topic that a sink of this name writes to, for the guards that stand before its brokers; `None` where it writes
    /// to no cluster. It opens nothing.
    fn written(&self, _name: &str, _options: &Options) -> Result<Option<Written>, Fault> {
        Ok(None)
    }
    /// A sink of rows.
    async fn sink(&self, request: SinkRequest, context: &Context) -> Result<Box<dyn Sink>, Fault>;
}

/// What a connector can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Capabilities {
    /// Rows can be read from it.
    pub source: bool,
    /// Rows can be written to it.
    pub sink: bool,
    /// A reader can begin again where a checkpoint left it.
    pub replays: bool,
    /// A sink can make what it wrote visible with a checkpoint, once.
    pub exactly_once: bool,
    /// A sink can replace and delete rows by key.
    pub upsert: bool,
}

/// One option of a connector.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its key as it is written in `WITH`, in lower case: `group.id`. An underscore stands for a point: `group_id`.
    pub name: &'static str,
    /// Other names of the same option: `bootstrap.servers` for `brokers`.
    pub also: &'static [&'static str],
    /// Whether it must be set: `None` for no, else for whom it must.
    pub required: Option<End>,
    /// Whom it concerns; `None` for both ends.
    pub end: Option<End>,
    /// What it takes.
    pub takes: Takes,
    /// The value where it is absent, as text.
    pub default: Option<&'static str>,
    /// One line of help.
    pub help: &'static str,
}

impl Parameter {
    /// An option that takes text, concerns both ends and may be left out; `..Parameter::TEXT` fills a table's lines.
    pub const TEXT: Self =
        Self { name: "", also: &[], required: None, end: None, takes: Takes::Text, default: None, help: "" };
}

/// One of the two ends of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum End {
    /// Where rows come from.
    Source,
    /// Where rows go.
    Sink,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Any text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number from 0.
    Number,
    /// A length of time: `500ms`, `10s`, `5m`.
    Duration,
    /// A number of bytes: `64KB`, `1GB`.
    Bytes,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Every key under this prefix, passed on as it is: `kafka.` for librdkafka's own settings.
    Prefix,
}

/// What a connector is told of the place that it runs in.
#[derive(Clone)]
pub struct Context {
    /// The connection of the active environment, for connectors that speak Kafka; absent where none is configured.
    pub kafka: Option<Connection>,
    /// Why it is absent, where an environment is configured and something is wrong with it.
    pub absent: Option<Fault>,
    /// The folder that relative paths start from.
    pub folder: std::path::PathBuf,
}

/// A source as a statement asks for it.
#[derive(Debug, Clone, Default)]
pub struct SourceRequest {
    /// The name in the statement, for messages.
    pub name: String,
    /// Options, checked against the connector's parameters.
    pub options: Options,
    /// Columns as declared; `None` means: read or infer them.
    pub schema: Option<SchemaRef>,
    /// Names of the columns that are a row's key (`PRIMARY KEY`), in order: a tombstone deletes the row of its key.
    pub key: Vec<String>,
}

/// A sink as a statement asks for it.
#[derive(Debug, Clone)]
pub struct SinkRequest {
    /// The name in the statement, for messages.
    pub name: String,
    /// Options, checked against the connector's parameters.
    pub options: Options,
    /// Columns that will come.
    pub schema: SchemaRef,
    /// Which of them are the key (positions in `schema`), in order; empty where the result has none.
    pub key: Vec<usize>,
    /// Columns without which a result that has an identity could not carry it; said where `key` is wanted and empty.
    pub key_lacks: Vec<String>,
    /// Whether rows can be replaced or deleted later.
    pub changes: bool,
    /// Name of the job: transactional ids and temporary files carry it.
    pub job: String,
    /// Whether what is written must become visible with the checkpoint, once.
    pub exactly_once: bool,
}

/// A topic that is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The topic.
    pub topic: String,
    /// Its brokers, where the statement names them; those of the environment that it runs in otherwise.
    pub brokers: Option<String>,
}

/// A source of rows, opened as far as its schema is known.
#[async_trait]
pub trait Source: Send + Sync {
    /// The columns of a row, without the system columns.
    fn schema(&self) -> SchemaRef;
    /// Which system columns it fills (see [`system_columns`]); the others are NULL.
    fn system_columns(&self) -> &'static [&'static str];
    /// Whether it ends.
    fn is_bounded(&self) -> bool;
    /// Whether splits may appear that are not there yet. One that does not grow is over when all its splits are.
    fn grows(&self) -> bool {
        !self.is_bounded()
    }
    /// What the plan view says of it before anything runs: `topic orders, 3 partitions, 12,400 records`.
    fn description(&self) -> String;
    /// The parts that can be read side by side, in a stable order. Asked again from time to time where
    /// [`Source::is_bounded`] is false: new partitions and new files appear.
    async fn splits(&self) -> Result<Vec<Split>, Fault>;
    /// A reader of one part, from the position of a checkpoint or, without one, from where the options say.
    async fn read(
        &self,
        split: &Split,
        from: Option<&Position>,
        columns: &Columns,
    ) -> Result<Box<dyn SplitReader>, Fault>;
    /// The same source as it is now, for one that is read again from its beginning to its end: the end of a topic has
    /// moved. `None` where every reader sees what there is when it is opened.
    async fn as_of_now(&self) -> Result<Option<Arc<dyn Source>>, Fault> {
        Ok(None)
    }
    /// Where a reader may be closed when it has given all that there is for now: how often [`Source::has_more`] is asked
    /// about what it read. `None` where readers stay open, as those of a topic do.
    fn rests(&self) -> Option<Duration> {
        None
    }
    /// Which of these parts may hold more than what stands before these positions. It opens none of them: where a source
    /// cannot tell, a reader finds out.
    async fn has_more(&self, parts: &[(Split, Option<Position>)]) -> Vec<bool> {
        vec![true; parts.len()]
    }
    /// Where a split is read from that appeared after the job began, while it ran or while it was stopped: nobody has seen
    /// any of it, wherever the options let the others begin. `None` where a reader without a position begins there anyway.
    fn beginning(&self, _split: &Split) -> Option<Position> {
        None
    }
    /// A checkpoint is durable: what it covers may be acknowledged (committed to a consumer group for monitors to see).
    async fn acknowledge(&self, _positions: &[(Split, Position)]) -> Result<(), Fault> {
        Ok(())
    }
}

/// A part of a source: a partition, a file. Stable over restarts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Split(pub String);

/// Where a reader stands, in the connector's own words; what follows it has not been handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(pub String);

/// The columns that a reader has to fill, in this order: first columns of the schema, then system columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns {
    /// Positions in [`Source::schema`].
    pub fields: Vec<usize>,
    /// Names of system columns, from [`system_columns`].
    pub system: Vec<&'static str>,
    /// Whether the raw record stays with each row, so that one that fails later goes to the dead letters whole.
    pub origins: bool,
}

/// Reads one split. Dropping the future of [`SplitReader::next`] loses no row.
#[async_trait]
pub trait SplitReader: Send {
    /// The next rows: at most `rows_max`, waiting at most [`BATCH_WAIT`] once one is there, and about
    /// `wait` for the first.
    async fn next(&mut self, rows_max: usize, wait: Duration) -> Result<Pull, Fault>;
    /// Where the reader stands after the last `next`.
    fn position(&self) -> Position;
    /// How far it is.
    fn progress(&self) -> ReaderProgress;
}

/// What one `next` brought.
#[derive(Debug)]
pub enum Pull {
    /// Rows, and records that were no rows.
    Rows(SourceRows),
    /// Nothing within the wait; more may come.
    Idle,
    /// Nothing is left for now. The reader may be closed, where [`Source::rests`] says so: another one begins at its
    /// position once [`Source::has_more`] knows of more.
    Rest,
    /// Nothing will ever come again from this split.
    End,
}

/// Rows of a source, as columns.
#[derive(Debug)]
pub struct SourceRows {
    /// The columns that were asked for, in their order.
    pub batch: RecordBatch,
    /// The time that the source itself gives each row, milliseconds since 1970 (a record's timestamp; the time of
    /// reading where the source has none).
    pub times: ScalarBuffer<i64>,
    /// What happens to each row ([`Op`] as its byte), where the source carries changes: Debezium's records, and tombstones,
    /// which are deletes whose key columns are filled; `None` when all are inserts.
    pub ops: Option<Int8Array>,
    /// The record behind each row, where [`Columns::origins`] asked for it: as many as rows.
    pub origins: Option<Arc<Vec<RawRecord>>>,
    /// Records that could not be made rows, in order of arrival.
    pub bad: Vec<BadRecord>,
    /// Bytes read for this batch.
    pub bytes: u64,
}

/// How far a reader is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReaderProgress {
    /// Bytes read so far and in all, where the source knows its size.
    pub bytes: Option<(u64, u64)>,
    /// Records still to read as of now, where the source knows.
    pub lag: Option<u64>,
    /// Errors so far after which it tried again by itself.
    pub retries: u64,
}

/// A record as it arrived, whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawRecord {
    /// Topic or file.
    pub topic: Arc<str>,
    /// Partition; 0 for a file.
    pub partition: i32,
    /// Offset; the line's number, from 1, for a file.
    pub offset: i64,
    /// Milliseconds since 1970, where it has a time.
    pub timestamp_ms: Option<i64>,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Option<Vec<u8>>,
    /// Headers.
    pub headers: Headers,
}

/// A record that could not be processed, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct BadRecord {
    /// The record, whole.
    pub record: RawRecord,
    /// Where it failed: `decode`, `event_time`, `filter`, `project`, `aggregate`, `encode`.
    pub stage: &'static str,
    /// The kind of error, one word a kind: `malformed`, `missing_field`, `type_mismatch`, `cast`, `overflow`.
    pub class: &'static str,
    /// What is wrong, for a person.
    pub message: String,
}

/// What happens to a row in a result that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum Op {
    /// A row appears.
    Insert = 0,
    /// A row disappears.
    Delete = 1,
    /// The old half of a replacement; its new half follows directly.
    UpdateBefore = 2,
    /// The new half of a replacement.
    UpdateAfter = 3,
}

impl Op {
    /// The op of a byte of an ops column; an unknown byte is an insert.
    pub fn of(byte: i8) -> Self {
        match byte {
            1 => Self::Delete,
            2 => Self::UpdateBefore,
            3 => Self::UpdateAfter,
            _ => Self::Insert,
        }
    }

    /// Whether the row counts (+1) or is taken back (-1).
    pub fn is_addition(self) -> bool {
        matches!(self, Self::Insert | Self::UpdateAfter)
    }
}

/// Rows on their way into a sink.
#[derive(Debug, Clone)]
pub struct SinkRows {
    /// The columns of the sink's schema.
    pub batch: RecordBatch,
    /// Event time of each row, milliseconds since 1970.
    pub times: ScalarBuffer<i64>,
    /// What happens to each row ([`Op`] as its byte); `None` when all are inserts.
    pub ops: Option<Int8Array>,
}

/// A sink of rows. One task owns it; `write` waits where the system behind it is slow.
#[async_trait]
pub trait Sink: Send {
    /// Opens it. Answers with the epoch of the newest checkpoint whose rows are visible for certain, where the system
    /// behind it remembers (a transaction's marker), 0 where it remembers and there was none (epochs begin at 1): the
    /// job goes on from exactly that checkpoint. `None` where it does not remember: [`Sink::commit`] is called again
    /// with what the newest manifest holds.
    async fn open(&mut self) -> Result<Option<u64>, Fault>;
    /// Writes rows. Rows that cannot be written are handed back; an error ends the job.
    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault>;
    /// Everything written is durable when this returns (and visible, where the sink is not exactly-once).
    async fn flush(&mut self) -> Result<(), Fault>;
    /// Nothing came for a moment: what is written may be made visible, where that costs those who read it nothing. Answers
    /// whether nothing is left to make visible.
    async fn settle(&mut self) -> Result<bool, Fault> {
        self.flush().await?;
        Ok(true)
    }
    /// Exactly-once: everything written since the last epoch is durable, yet invisible. What `commit` needs goes into
    /// the manifest of the checkpoint; `None` where nothing was written and the system behind it does not remember (one
    /// that does is committed with every checkpoint, else it would stand at one that is no longer kept). No row comes
    /// between `prepare` and `commit`.
    async fn prepare(&mut self, epoch: u64) -> Result<Option<String>, Fault>;
    /// Exactly-once: makes the rows of an epoch visible. After a restart it is called again with what the manifest
    /// holds and must not do its work twice.
    async fn commit(&mut self, epoch: u64, prepared: &str) -> Result<(), Fault>;
    /// What it has tried again by itself so far: records that the system behind it had to be sent once more.
    fn retries(&self) -> u64 {
        0
    }
    /// Ends it: what was written and not prepared becomes visible (`at_least_once`), or is taken back (exactly-once,
    /// where `is_clean` is false).
    async fn close(&mut self, is_clean: bool) -> Result<(), Fault>;
}

/// A row that a sink could not write.
#[derive(Debug, Clone, PartialEq)]
pub struct BadRow {
    /// Its position in the batch.
    pub row: usize,
    /// The kind of error, as in [`BadRecord::class`].
    pub class: &'static str,
    /// What is wrong.
    pub message: String,
}

/// The system columns: readable by name from any source, never part of `*`.
pub mod system_columns {
    use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

    /// Key of the record, as text where it is UTF-8.
    pub const KEY: &str = "_key";
    /// Topic, or path of the file.
    pub const TOPIC: &str = "_topic";
    /// Partition.
    pub const PARTITION: &str = "_partition";
    /// Offset, or number of the line.
    pub const OFFSET: &str = "_offset";
    /// Timestamp of the record.
    pub const TIMESTAMP: &str = "_timestamp";
    /// Headers: a map from name to bytes.
    pub const HEADERS: &str = "_headers";
    /// Event time, as the source or `WATERMARK FOR` gives it. Filled by the engine, never by a connector.
    pub const EVENT_TIME: &str = "_event_time";

    /// All of them.
    pub const ALL: [&str; 7] = [KEY, TOPIC, PARTITION, OFFSET, TIMESTAMP, HEADERS, EVENT_TIME];

    /// The column of a name, `None` for a name that is none of these.
    pub fn field(name: &str) -> Option<Field> {
        let data_type = match name {
            KEY | TOPIC => DataType::Utf8,
            PARTITION => DataType::Int32,
            OFFSET => DataType::Int64,
            TIMESTAMP | EVENT_TIME => DataType::Timestamp(TimeUnit::Millisecond, None),
            HEADERS => DataType::Map(
                Field::new(
                    "entries",
                    DataType::Struct(Fields::from(vec![
                        Field::new("key", DataType::Utf8, false),
                        Field::new("value", DataType::Binary, true),
                    ])),
                    false,
                )
                .into(),
                false,
            ),
            _ => return None,
        };
        Some(Field::new(name, data_type, true))
    }
}
