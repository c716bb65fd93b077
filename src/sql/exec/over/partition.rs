//! The rows of a partition that are waiting, or are kept for the frames of others, and how far its numbering has come.

use crate::sql::exec::chunk::Chunk;

/// Bytes that a row costs beside its own: two boxes, two times, its place in lists.
const ENTRY_BYTES: usize = 72;

/// A row, encoded.
pub struct Row {
    /// What it is sorted by.
    pub order: Box<[u8]>,
    /// Its columns.
    pub row: Box<[u8]>,
    /// Event time, milliseconds since 1970.
    pub time: i64,
    /// The first key of the order in milliseconds since 1970; the event time where that is no time.
    pub key_ms: i64,
}

impl Row {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.order.len() + self.row.len() + ENTRY_BYTES
    }
}

/// Rows with one key.
#[derive(Default)]
pub struct Partition {
    /// Rows that the watermark has passed, in order; the first `answered` are only kept for the frames of others.
    pub rows: Vec<Row>,
    /// How many have an answer.
    pub answered: usize,
    /// The number, from 0, of the first of `rows` among all that the partition has had.
    pub base: u64,
    /// The first of `rows` as columns, where they are many, and their bytes: they are not decoded again with each watermark.
    pub decoded: Option<(Chunk, usize)>,
    /// Rows that earlier ones may still come before.
    pub held: Vec<Row>,
    /// Numbering.
    pub place: Place,
    /// Where it stands in the agenda.
    pub due: Option<i64>,
}

impl Partition {
    /// What the order of the next row may not be before: that of the last row that stands in line.
    pub fn floor(&self) -> Option<&[u8]> {
        self.rows.last().map(|row| &*row.order).or(self.place.last.as_deref())
    }
}

/// How far the numbering of a partition has come.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// ROW_NUMBER of the last row.
    pub number: u64,
    /// RANK of the last row.
    pub rank: u64,
    /// DENSE_RANK of the last row.
    pub dense: u64,
    /// The order of the last row.
    pub last: Option<Box<[u8]>>,
}

impl Place {
    /// The next row, with its order. Without an ORDER BY all rows of a partition are peers.
    pub fn step(&mut self, order: &[u8], has_order: bool) {
        self.number += 1;
        if self.number == 1 || has_order && self.last.as_deref() != Some(order) {
            self.rank = self.number;
            self.dense += 1;
        }
        if self.last.as_deref() != Some(order) {
            self.last = Some(order.into());
        }
    }
}
