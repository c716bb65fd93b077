//! What travels between operators: chunks of rows with their event times, and the marks between them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Int8Array, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute;
use arrow::error::ArrowError;

use crate::connectors::contract::{Op, RawRecord};

/// Rows on their way, each with its event time and, in a changelog, with what happens to it.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Columns, as the schema of the node that made it says.
    pub batch: RecordBatch,
    /// Event time of each row, milliseconds since 1970.
    pub times: ScalarBuffer<i64>,
    /// [`Op`] of each row as its byte; `None` when all rows are inserts.
    pub ops: Option<Int8Array>,
    /// The records behind the rows, kept until the first operator with state where a dead letter may need them.
    pub origins: Option<Origins>,
}

/// The records behind the rows of a chunk.
#[derive(Debug, Clone)]
pub struct Origins {
    /// The records of the batch as it was read.
    pub records: Arc<Vec<RawRecord>>,
    /// For each row, which of them.
    pub rows: UInt32Array,
}

impl Chunk {
    /// Rows that only come.
    pub fn inserts(batch: RecordBatch, times: ScalarBuffer<i64>) -> Self {
        Self { batch, times, ops: None, origins: None }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Rows as people count them: a replacement, which is two rows here, is one change.
    pub fn changes(&self) -> usize {
        let halves =
            self.ops.as_ref().map_or(0, |ops| ops.values().iter().filter(|op| **op == Op::UpdateBefore as i8).count());
        self.rows() - halves
    }

    /// What happens to row `row`.
    pub fn op(&self, row: usize) -> Op {
        self.ops.as_ref().map_or(Op::Insert, |ops| Op::of(ops.value(row)))
    }

    /// The same rows with other columns.
    #[must_use]
    pub fn with_batch(self, batch: RecordBatch) -> Self {
        debug_assert_eq!(batch.num_rows(), self.times.len());
        Self { batch, ..self }
    }

    /// The rows for which `mask` is true (NULL is not).
    ///
    /// # Errors
    /// Arrow's, which are defects of this program.
    pub fn filter(&self, mask: &BooleanArray) -> Result<Self, ArrowError> {
        let keep = |array: &dyn Array| compute::filter(array, mask);
        Ok(Self {
            batch: compute::filter_record_batch(&self.batch, mask)?,
            times: times_of(&keep(&self.times_array())?),
            ops: self.ops.as_ref().map(|ops| keep(ops).map(|array| downcast(&array))).transpose()?,
            origins: match &self.origins {
                Some(origins) => {
                    Some(Origins { records: Arc::clone(&origins.records), rows: downcast(&keep(&origins.rows)?) })
                }
                None => None,
            },
        })
    }

    /// The rows at `indices`, in that order.
    ///
    /// # Errors
    /// An index out of range.
    pub fn take(&self, indices: &UInt32Array) -> Result<Self, ArrowError> {
        let pick = |array: &dyn Array| compute::take(array, indices, None);
        Ok(Self {
            batch: taken(&self.batch, indices)?,
            times: times_of(&pick(&self.times_array())?),
            ops: self.ops.as_ref().map(|ops| pick(ops).map(|array| downcast(&array))).transpose()?,
            origins: match &self.origins {
                Some(origins) => {
                    Some(Origins { records: Arc::clone(&origins.records), rows: downcast(&pick(&origins.rows)?) })
                }
                None => None,
            },
        })
    }

    /// `length` rows from `offset`, sharing the buffers.
    #[must_use]
    pub fn slice(&self, offset: usize, length: usize) -> Self {
        Self {
            batch: self.batch.slice(offset, length),
            times: self.times.slice(offset, length),
            ops: self.ops.as_ref().map(|ops| ops.slice(offset, length)),
            origins: self.origins.as_ref().map(|origins| Origins {
                records: Arc::clone(&origins.records),
                rows: origins.rows.slice(offset, length),
            }),
        }
    }

    /// The event times as an array, sharing the buffer.
    pub fn times_array(&self) -> Int64Array {
        Int64Array::new(self.times.clone(), None)
    }
}

/// The rows of a batch at `indices`; one without columns has rows too.
fn taken(batch: &RecordBatch, indices: &UInt32Array) -> Result<RecordBatch, ArrowError> {
    if batch.num_columns() > 0 {
        return compute::take_record_batch(batch, indices);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(indices.len()));
    RecordBatch::try_new_with_options(batch.schema(), Vec::new(), &options)
}

fn times_of(array: &ArrayRef) -> ScalarBuffer<i64> {
    downcast::<Int64Array>(array).values().clone()
}

/// An array that a kernel made of an array of type `A`: kernels keep types.
fn downcast<A: Clone + 'static>(array: &ArrayRef) -> A {
    array.as_any().downcast_ref::<A>().expect("a kernel keeps the type of its input").clone()
}

/// What a channel between two tasks carries.
// Nearly all of them are rows: a box would cost an allocation a batch to save bytes in a few marks.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone)]
pub enum Message {
    /// Rows.
    Batch(Chunk),
    /// No row earlier than this, milliseconds since 1970, will come unless it is late. `i64::MAX`: the input is over
    /// and every window closes.
    Watermark(i64),
    /// This input is silent: leave it out of the minimum until it speaks again.
    Idle,
    /// What was there when the job began has been read: a stream that looks into this table may begin.
    CaughtUp,
    /// Everything before it belongs to the checkpoint of this epoch.
    Barrier(u64),
    /// Nothing follows.
    End,
}
