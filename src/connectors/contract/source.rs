//! The end that rows come from: as a statement asks for it, as the engine reads it split by split, and what it brings.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int8Array, RecordBatch};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::connectors::options::Options;
use crate::core::fault::Fault;
use crate::core::record::Headers;

/// Rows of one batch where nobody asks for fewer: large enough that the cost of a batch vanishes, small enough that one
/// batch of 1 KB records (8 MiB) stays in the cache of a core's neighbours.
pub const BATCH_ROWS_MAX: usize = 8_192;
/// How long a reader may hold back rows to fill a batch: a tenth of what a person notices, so one record per second is
/// as alive as a million.
pub const BATCH_WAIT: Duration = Duration::from_millis(20);

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

/// A source of rows, opened as far as its schema is known.
#[async_trait]
pub trait Source: Send + Sync {
    /// The columns of a row, without the system columns.
    fn schema(&self) -> SchemaRef;
    /// Whether its columns were read from a sample of its data: another sample may show others.
    fn is_inferred(&self) -> bool {
        false
    }
    /// Which system columns it fills (see [`system_columns`](super::system_columns)); the others are NULL.
    fn system_columns(&self) -> &'static [&'static str];
    /// Whether it ends.
    fn is_bounded(&self) -> bool;
    /// Whether splits may appear that are not there yet. One that does not grow is over when all its splits are.
    fn grows(&self) -> bool {
        !self.is_bounded()
    }
    /// Whether its rows come with a time of their own, as records do; otherwise theirs is the time of reading.
    fn dates_rows(&self) -> bool {
        true
    }
    /// The cluster that its positions are of: those of one say nothing of another.
    fn cluster(&self) -> Option<&str> {
        None
    }
    /// What the plan view says of it before anything runs: `topic orders, 3 partitions, 12,400 records`.
    fn description(&self) -> String;
    /// A statement that runs beside others is about to read it, once. Answers whether other statements of this very process
    /// write it; those are announced before.
    ///
    /// # Errors
    /// Nobody writes it, or with other columns.
    fn announce(&self) -> Result<bool, Fault> {
        Ok(false)
    }
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
    /// Why nothing can be read for now, where the system behind it is out of reach: it asks on by itself. Asked often: it
    /// waits for nobody.
    fn outage(&self) -> Option<String> {
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
    /// Names of system columns, from [`system_columns`](super::system_columns).
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
// There is one for thousands of rows: a box would buy nothing.
#[allow(clippy::large_enum_variant)]
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
    /// What happens to each row ([`Op`](super::Op) as its byte), where the source carries changes: Debezium's records, and tombstones,
    /// which are deletes whose key columns are filled; `None` when all are inserts.
    pub ops: Option<Int8Array>,
    /// The record behind each row, where [`Columns::origins`] asked for it: as many as rows.
    pub origins: Option<Arc<Vec<RawRecord>>>,
    /// Records that could not be made rows, in order of arrival.
    pub bad: Vec<BadRecord>,
    /// Records that are neither rows nor bad: tombstones where nothing has a key.
    pub skipped: u64,
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
