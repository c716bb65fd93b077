//! Long partitions as columns: what was decoded for one watermark is there for the next one.

use arrow::compute::concat_batches;

use super::Over;
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::evaluate::arrow_fault;

/// Rows from which on a partition is kept as columns too: fewer are decoded in less time than a batch takes elsewhere, and
/// a job may have a million partitions.
const DECODED_ROWS_MIN: usize = if cfg!(test) { 2 } else { 1_024 };

impl Over {
    /// The rows of a partition. Only those are decoded that were not before.
    ///
    /// # Errors
    /// Arrow's, which are defects.
    pub(super) fn rows_of(&mut self, number: usize) -> Result<Chunk, Fault> {
        let known = self.take_decoded(number);
        let rows = &self.partitions[number].rows;
        let Some(known) = known.filter(|known| known.rows() <= rows.len()) else { return self.chunk_of(rows.iter()) };
        let fresh = self.chunk_of(rows[known.rows()..].iter())?;
        let batch = concat_batches(&self.input, [&known.batch, &fresh.batch]).map_err(arrow_fault)?;
        let times: Vec<i64> = known.times.iter().chain(fresh.times.iter()).copied().collect();
        Ok(Chunk::inserts(batch, times.into()))
    }

    /// Keeps the rows of a partition for the next watermark, where they are many.
    pub(super) fn keep_decoded(&mut self, number: usize, chunk: Chunk) {
        if chunk.rows() >= DECODED_ROWS_MIN {
            let bytes = chunk.batch.get_array_memory_size() + chunk.rows() * size_of::<i64>();
            self.decoded_bytes += bytes;
            self.partitions[number].decoded = Some((chunk, bytes));
        }
    }

    /// The rows of a partition as they are kept, which is no more.
    pub(super) fn take_decoded(&mut self, number: usize) -> Option<Chunk> {
        let (chunk, bytes) = self.partitions[number].decoded.take()?;
        self.decoded_bytes -= bytes;
        Some(chunk)
    }

    /// Leaves the first rows of a partition out of what is kept.
    pub(super) fn cut_decoded(&mut self, number: usize, gone: usize) {
        if let Some(chunk) = self.take_decoded(number).filter(|chunk| gone < chunk.rows()) {
            let left = chunk.rows() - gone;
            let times = chunk.times[gone..].to_vec();
            self.keep_decoded(number, Chunk::inserts(chunk.batch.slice(gone, left), times.into()));
        }
    }
}
