//! Key columns of a batch: those that are read from keys in the place of values, and the deletes that tombstones say. It
//! reads no topic.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int8Array, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{Schema, SchemaRef};

use super::key::KeyDecoder;
use super::reader::ReaderSettings;
use crate::connectors::contract::Op;
use crate::core::fault::{Blame, Fault};

/// Key columns that are read from the record's key.
pub(super) struct Keys {
    decoder: KeyDecoder,
    /// Positions in the batch.
    places: Vec<usize>,
    /// Whether the key's value stands in the place of the value's own.
    replaces: bool,
    /// Records whose key was read, in order.
    records: Vec<u32>,
}

impl Keys {
    /// Those that the settings ask for, if any.
    pub fn of(settings: &ReaderSettings) -> Result<Option<Self>, Fault> {
        let replaces = !settings.key_fields.is_empty();
        let fields = if replaces { &settings.key_fields } else { &settings.primary_key };
        if fields.is_empty() {
            return Ok(None);
        }
        let columns: Vec<_> = fields.iter().map(|at| settings.schema.field(*at).clone().with_nullable(true)).collect();
        let decoder = KeyDecoder::new(&Arc::new(Schema::new(columns)), settings.key_format)?;
        // A key column nobody asked for has no place; what the key says of it is then read and left.
        let place = |at: &usize| settings.columns.fields.iter().position(|field| field == at).unwrap_or(usize::MAX);
        Ok(Some(Self { decoder, places: fields.iter().map(place).collect(), replaces, records: Vec::new() }))
    }

    /// Reads the key of a good record where it matters: always if keys replace values, else only of a tombstone.
    pub fn push(
        &mut self,
        key: Option<&[u8]>,
        record: u32,
        is_tombstone: bool,
    ) -> Result<(), crate::formats::json::scan::Bad> {
        if !self.replaces && !is_tombstone {
            return Ok(());
        }
        self.decoder.push(key)?;
        self.records.push(record);
        Ok(())
    }

    /// The columns of the keys since the last call, and the records they came from.
    pub fn finish(&mut self) -> Result<(Vec<ArrayRef>, Vec<u32>), Fault> {
        Ok((self.decoder.finish()?, std::mem::take(&mut self.records)))
    }

    /// Rows of values with their key columns, and the deletes that tombstones say, in the order of the records.
    #[allow(clippy::type_complexity)]
    pub fn joined(
        &self,
        batch: RecordBatch,
        sources: Option<Vec<u32>>,
        ops: Option<Int8Array>,
        columns: &[ArrayRef],
        known: &[u32],
        tombstones: &[u32],
    ) -> Result<(RecordBatch, Option<Vec<u32>>, Option<Int8Array>), Fault> {
        let defect = |error: arrow::error::ArrowError| Fault::new(Blame::Program, format!("keys: {error}"));
        if !self.replaces && tombstones.is_empty() {
            return Ok((batch, sources, ops));
        }
        let rows = batch.num_rows();
        let mut sources = sources.unwrap_or_else(|| (0..u32::try_from(rows).unwrap_or(u32::MAX)).collect());
        let at_key = |source: &u32| u32::try_from(known.partition_point(|record| record < source)).unwrap_or(0);
        let mut filled = batch.columns().to_vec();
        let mut batch = batch;
        // A value whose key was bad is no row after all.
        if self.replaces && sources.iter().any(|source| known.binary_search(source).is_err()) {
            let good: Vec<u32> =
                (0_u32..).zip(&sources).filter(|(_, s)| known.binary_search(s).is_ok()).map(|(at, _)| at).collect();
            batch = take_record_batch(&batch, &UInt32Array::from(good.clone())).map_err(defect)?;
            sources = good.iter().map(|at| sources[*at as usize]).collect();
            filled = batch.columns().to_vec();
        }
        if self.replaces {
            let indices: UInt32Array = sources.iter().map(|source| Some(at_key(source))).collect();
            let width = filled.len();
            for (column, place) in columns.iter().zip(&self.places).filter(|(_, place)| **place < width) {
                filled[*place] = arrow::compute::take(column, &indices, None).map_err(defect)?;
            }
        }
        // NOT NULL holds for rows, not for what a delete leaves out.
        let fields: Vec<_> = batch.schema().fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect();
        let loose: SchemaRef = Arc::new(Schema::new(fields));
        let options = RecordBatchOptions::new().with_row_count(Some(sources.len()));
        let values = RecordBatch::try_new_with_options(loose.clone(), filled, &options).map_err(defect)?;
        if tombstones.is_empty() {
            return Ok((values, Some(sources), ops));
        }
        let gone: UInt32Array = tombstones.iter().map(|record| Some(at_key(record))).collect();
        let mut deleted: Vec<ArrayRef> =
            loose.fields().iter().map(|field| new_null_array(field.data_type(), tombstones.len())).collect();
        let width = deleted.len();
        for (column, place) in columns.iter().zip(&self.places).filter(|(_, place)| **place < width) {
            deleted[*place] = arrow::compute::take(column, &gone, None).map_err(defect)?;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(tombstones.len()));
        let deleted = RecordBatch::try_new_with_options(loose.clone(), deleted, &options).map_err(defect)?;
        let mut all_ops: Vec<i8> = match ops {
            Some(ops) => ops.values().to_vec(),
            None => vec![Op::Insert as i8; sources.len()],
        };
        all_ops.extend(std::iter::repeat_n(Op::Delete as i8, tombstones.len()));
        sources.extend(tombstones);
        let mut order: Vec<u32> = (0..u32::try_from(sources.len()).unwrap_or(u32::MAX)).collect();
        order.sort_by_key(|at| sources[*at as usize]);
        let all = concat_batches(&loose, [&values, &deleted]).map_err(defect)?;
        let all = take_record_batch(&all, &UInt32Array::from(order.clone())).map_err(defect)?;
        let in_order = |at: &u32| *at as usize;
        Ok((
            all,
            Some(order.iter().map(|at| sources[in_order(at)]).collect()),
            Some(order.iter().map(|at| all_ops[in_order(at)]).collect()),
        ))
    }
}
