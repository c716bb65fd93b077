//! What a format is: a decoder of records into columns that hands back the bad ones, and an encoder of rows into bytes.

use arrow::array::{Int8Array, RecordBatch};
use arrow::datatypes::SchemaRef;

use crate::core::fault::{Blame, Fault};

/// Makes columns of records. One decoder serves one reader; it keeps its buffers between batches.
pub trait Decoder: Send {
    /// The columns it makes.
    fn schema(&self) -> SchemaRef;
    /// Adds one record, and says whether it is good: of a bad one the caller keeps the bytes, and [`Decoder::finish`]
    /// says what is wrong with it.
    fn push(&mut self, value: Option<&[u8]>) -> bool;
    /// The rows of what was pushed since the last call, in order, without the bad records.
    ///
    /// # Errors
    /// Only what no record can be blamed for.
    fn finish(&mut self) -> Result<Decoded, Fault>;
}

/// What a decoder made of the records it was given.
#[derive(Debug)]
pub struct Decoded {
    /// One row for each good record (for some formats none or several).
    pub batch: RecordBatch,
    /// Which pushed record each row came from, ascending; `None` when row `i` is record `i`.
    pub sources: Option<Vec<u32>>,
    /// What happens to each row ([`crate::connectors::contract::Op`] as its byte), for formats that carry changes.
    pub ops: Option<Int8Array>,
    /// Records that were no rows: which, and why.
    pub bad: Vec<Malformed>,
}

/// A record that is no row.
#[derive(Debug, Clone, PartialEq)]
pub struct Malformed {
    /// Which of the pushed records, from 0.
    pub record: u32,
    /// The kind of error: `malformed`, `missing_field`, `type_mismatch`, `overflow`.
    pub class: &'static str,
    /// What is wrong: the field, what stands there, what was expected.
    pub message: String,
}

/// Makes bytes of rows.
pub trait Encoder: Send + Sync {
    /// Appends the bytes of each row of the batch to `rows`: one value a row.
    ///
    /// # Errors
    /// The rows that cannot be written come back in [`Encoded::bad`]; an error is what no row can be blamed for.
    fn encode(&mut self, batch: &RecordBatch) -> Result<Encoded, Fault>;
    /// As [`Encoder::encode`], with what happens to each row, for formats that carry changes; the others do not look.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    fn encode_changes(&mut self, batch: &RecordBatch, _ops: Option<&Int8Array>) -> Result<Encoded, Fault> {
        self.encode(batch)
    }
    /// Whether values say themselves what happens to a row. The old half of a replacement then has no value of its own:
    /// it is part of the new half's.
    fn carries_changes(&self) -> bool {
        false
    }
}

/// Rows as bytes.
#[derive(Debug, Default)]
pub struct Encoded {
    /// All values, one behind the other.
    pub bytes: Vec<u8>,
    /// Where each value ends in `bytes`; a bad row ends where it begins.
    pub ends: Vec<usize>,
    /// Rows that cannot be written: position, class and message.
    pub bad: Vec<Malformed>,
}

/// Columns that do not make a batch, which is a defect of this program.
pub(crate) fn no_batch(error: arrow::error::ArrowError) -> Fault {
    Fault::new(Blame::Program, format!("columns do not make a batch: {error}"))
}
