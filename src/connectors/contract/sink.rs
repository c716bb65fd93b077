//! The end that rows go to: as a statement asks for it, as the engine writes to it, and what it could not write.

use arrow::array::{Int8Array, RecordBatch};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;

use crate::connectors::options::Options;
use crate::core::fault::Fault;
use crate::kafka::settings::Connection;

/// Where a sink that is opened says what it creates, in the words of [`Connector::creates`](super::Connector::creates); a
/// command shows it without being asked.
pub const CREATED: &str = "velox::created";

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
    /// Why `key` cannot tell rows apart that are taken back, where the sink was declared with a key that does not.
    pub key_refused: Option<Fault>,
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

/// A sink of rows. One task owns it; `write` waits where the system behind it is slow.
///
/// What a sink leaves out is right for one that keeps nothing back: a row is out for good when `write` returns, so nothing
/// is left to flush, to prepare, to commit or to take back, and nothing is remembered.
#[async_trait]
pub trait Sink: Send {
    /// Opens it. Answers with the epoch of the newest checkpoint whose rows are visible for certain, where the system
    /// behind it remembers (a transaction's marker), 0 where it remembers and there was none (epochs begin at 1): the
    /// job goes on from exactly that checkpoint. `None` where it does not remember: [`Sink::commit`] is called again
    /// with what the newest manifest holds.
    async fn open(&mut self) -> Result<Option<u64>, Fault> {
        Ok(None)
    }
    /// Writes rows. Rows that cannot be written are handed back; an error ends the job.
    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault>;
    /// Everything written is durable when this returns (and visible, where the sink is not exactly-once).
    async fn flush(&mut self) -> Result<(), Fault> {
        Ok(())
    }
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
    async fn prepare(&mut self, _epoch: u64) -> Result<Option<String>, Fault> {
        Ok(None)
    }
    /// Exactly-once: makes the rows of an epoch visible. After a restart it is called again with what the manifest
    /// holds and must not do its work twice.
    async fn commit(&mut self, _epoch: u64, _prepared: &str) -> Result<(), Fault> {
        Ok(())
    }
    /// The connection that it writes through, which knows whether brokers answer; `None` where it writes to none.
    fn connection(&self) -> Option<Connection> {
        None
    }
    /// What it has tried again by itself so far: records that the system behind it had to be sent once more.
    fn retries(&self) -> u64 {
        0
    }
    /// Ends it: what was written and not prepared becomes visible (`at_least_once`), or is taken back (exactly-once,
    /// where `is_clean` is false).
    async fn close(&mut self, _is_clean: bool) -> Result<(), Fault> {
        Ok(())
    }
}

/// Rows on their way into a sink.
#[derive(Debug, Clone)]
pub struct SinkRows {
    /// The columns of the sink's schema.
    pub batch: RecordBatch,
    /// Event time of each row, milliseconds since 1970.
    pub times: ScalarBuffer<i64>,
    /// What happens to each row ([`Op`](super::Op) as its byte); `None` when all are inserts.
    pub ops: Option<Int8Array>,
}

/// A row that a sink could not write.
#[derive(Debug, Clone, PartialEq)]
pub struct BadRow {
    /// Its position in the batch.
    pub row: usize,
    /// The kind of error, as in [`BadRecord::class`](super::BadRecord::class).
    pub class: &'static str,
    /// What is wrong.
    pub message: String,
}
