//! The rows of a table by key, as they were read: they never change, and are found and gathered without a copy of any. How
//! they come here is [`super::cache::Filling`]'s.

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::compute;
use arrow::datatypes::SchemaRef;
use hashbrown::HashTable;

use super::super::expression::defect;
use super::super::index::NONE;
use super::super::key::{KeyRef, Keys};
use crate::core::fault::Fault;
use crate::sql::exec::budget::Share;

/// Rows by key.
pub(super) struct Rows {
    /// What they take of the job's memory, for as long as anybody looks at them.
    pub share: Share,
    /// Batches of rows; a row's number goes through all of them.
    pub batches: Vec<RecordBatch>,
    /// The number of the first row of each batch.
    pub firsts: Vec<u32>,
    /// The row of NULLs of each column.
    pub nothing: Vec<ArrayRef>,
    /// Keys.
    pub groups: Groups,
    /// Where the rows of each group begin in `members`, and behind the last group their end.
    pub starts: Vec<u32>,
    /// Numbers of rows, group by group, in the order they were read.
    pub members: Vec<u32>,
}

/// The keys that there are, each once, numbered as they came.
#[derive(Default)]
pub(super) struct Groups {
    table: HashTable<u32>,
    hashes: Vec<u64>,
    words: Vec<u64>,
    bytes: Vec<u8>,
    /// Where the bytes of each key end; empty where keys are words.
    ends: Vec<usize>,
}

impl Rows {
    /// How many.
    pub fn count(&self) -> usize {
        self.members.len()
    }

    /// The numbers of the rows that have the key of `row`.
    pub fn find(&self, keys: &Keys, row: usize) -> &[u32] {
        let group = if keys.is_null(row) { None } else { self.groups.find(keys.hashes[row], keys.key(row)) };
        match group {
            Some(group) => {
                let group = group as usize;
                &self.members[self.starts[group] as usize..self.starts[group + 1] as usize]
            }
            None => &[],
        }
    }

    /// The columns at `columns` of these rows, in their order; a row of NULLs for [`NONE`].
    pub fn gather(&self, rows: &[u32], columns: &[usize]) -> Result<Vec<ArrayRef>, Fault> {
        if let [only] = self.batches.as_slice() {
            let rows: UInt32Array = match rows.contains(&NONE) {
                true => rows.iter().map(|row| (*row != NONE).then_some(*row)).collect(),
                false => rows.to_vec().into(),
            };
            let taken = columns.iter().map(|column| compute::take(only.column(*column), &rows, None));
            return taken.collect::<Result<_, _>>().map_err(defect);
        }
        let place = |row: &u32| match *row {
            NONE => (self.batches.len(), 0),
            row => {
                let batch = self.firsts.partition_point(|first| *first <= row) - 1;
                (batch, (row - self.firsts[batch]) as usize)
            }
        };
        let places: Vec<(usize, usize)> = rows.iter().map(place).collect();
        let gathered = columns.iter().map(|column| {
            let batches = self.batches.iter().map(|batch| batch.column(*column).as_ref());
            let arrays: Vec<&dyn Array> = batches.chain([self.nothing[*column].as_ref()]).collect();
            compute::interleave(&arrays, &places)
        });
        gathered.collect::<Result<_, _>>().map_err(defect)
    }
}

/// A row of NULLs for each column of a schema.
pub(super) fn nothing(schema: &SchemaRef) -> Vec<ArrayRef> {
    schema.fields().iter().map(|field| new_null_array(field.data_type(), 1)).collect()
}

impl Groups {
    /// The group of a key.
    pub fn find(&self, hash: u64, key: KeyRef<'_>) -> Option<u32> {
        self.table.find(hash, |group| self.hashes[*group as usize] == hash && self.key(*group) == key).copied()
    }

    /// The group of a key, made where there is none.
    pub fn find_or_add(&mut self, hash: u64, key: KeyRef<'_>) -> Result<u32, Fault> {
        if let Some(group) = self.find(hash, key) {
            return Ok(group);
        }
        let group = u32::try_from(self.hashes.len()).map_err(defect)?;
        match key {
            KeyRef::Word(word) => self.words.push(word),
            KeyRef::Bytes(bytes) => {
                self.bytes.extend_from_slice(bytes);
                self.ends.push(self.bytes.len());
            }
        }
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.table.insert_unique(hash, group, |group| hashes[*group as usize]);
        Ok(group)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.hashes.len()
    }

    /// Bytes held.
    pub fn held_bytes(&self) -> usize {
        self.table.capacity() * (size_of::<u32>() + 1)
            + (self.hashes.capacity() + self.words.capacity()) * size_of::<u64>()
            + self.bytes.capacity()
            + self.ends.capacity() * size_of::<usize>()
    }

    fn key(&self, group: u32) -> KeyRef<'_> {
        let group = group as usize;
        match self.ends.get(group) {
            Some(end) => {
                let begin = if group == 0 { 0 } else { self.ends[group - 1] };
                KeyRef::Bytes(&self.bytes[begin..*end])
            }
            None => KeyRef::Word(self.words[group]),
        }
    }
}
