//! The newest row of each key of a table that is read whole: a later row takes the place of an earlier one, and what is
//! deleted is gone. It keeps the rows until they are asked for, and pairs nothing.

use ahash::RandomState;
use arrow::array::BooleanArray;
use arrow::datatypes::{DataType, SchemaRef};

use super::super::expression::defect;
use super::super::index::Index;
use super::super::key::Codec;
use super::super::unfindable;
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;

/// Rows by their own key.
pub struct Newest {
    key: Vec<usize>,
    codec: Codec,
    index: Index,
    chunks: Vec<Chunk>,
    /// Whether each row of all chunks is the newest of its key.
    stays: Vec<bool>,
    bytes: usize,
}

impl Newest {
    /// No rows yet of this schema, with the columns `key` for a key.
    ///
    /// # Errors
    /// A key by which rows cannot be found.
    pub fn new(schema: &SchemaRef, key: Vec<usize>) -> Result<Self, Fault> {
        let types: Vec<DataType> = key.iter().map(|column| schema.field(*column).data_type().clone()).collect();
        let codec = Codec::new(&types, true, RandomState::new()).map_err(unfindable)?;
        Ok(Self { key, codec, index: Index::default(), chunks: Vec::new(), stays: Vec::new(), bytes: 0 })
    }

    /// Takes rows in, in their order.
    ///
    /// # Errors
    /// More rows than can be numbered.
    pub fn push(&mut self, chunk: Chunk) -> Result<(), Fault> {
        let columns: Vec<_> = self.key.iter().map(|column| chunk.batch.column(*column).clone()).collect();
        let keys = self.codec.encode(&columns, chunk.rows()).map_err(defect)?;
        for row in 0..chunk.rows() {
            if let Some(before) = self.index.find_row(&keys, row).map(|group| self.index.head(group)) {
                self.stays[before as usize] = false;
                self.index.unlink(before);
            }
            let comes = chunk.op(row).is_addition();
            if comes {
                let slot = u32::try_from(self.stays.len()).map_err(defect)?;
                self.index.link(keys.hashes[row], keys.key(row), slot);
            }
            self.stays.push(comes);
        }
        self.bytes += chunk.batch.get_array_memory_size();
        self.chunks.push(chunk);
        Ok(())
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes + self.index.bytes() + self.stays.capacity()
    }

    /// The rows that stay, in the order they were read; each chunk is let go of as it is given.
    pub fn finish(self) -> impl Iterator<Item = Result<Chunk, Fault>> {
        let (mut first, stays) = (0, self.stays);
        self.chunks.into_iter().map(move |chunk| {
            let mask = BooleanArray::from(stays[first..first + chunk.rows()].to_vec());
            first += chunk.rows();
            let kept = chunk.filter(&mask).map_err(defect)?;
            Ok(Chunk { ops: None, ..kept })
        })
    }
}
