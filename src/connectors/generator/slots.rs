//! Columns under construction: plain vectors that become arrays without a copy. A column nobody asked for stays empty.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMillisecondArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};

/// Text, one value behind the other.
pub(super) struct Text {
    pub bytes: Vec<u8>,
    offsets: Vec<i32>,
}

impl Text {
    pub fn with_capacity(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { bytes: Vec::new(), offsets }
    }

    /// Ends the value whose bytes were added last. The caller's batches are far below the 2 GiB an offset reaches.
    pub fn end(&mut self) {
        self.offsets.push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
    }

    pub fn finish(self) -> StringArray {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        StringArray::new(offsets, Buffer::from_vec(self.bytes), None)
    }
}

/// One column.
pub(super) enum Slot {
    Skipped,
    Integers(Vec<i64>),
    Times(Vec<i64>),
    Text(Text),
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Integers,
    Times,
    Text,
}

/// The columns of one table.
pub(super) struct Slots(Vec<Slot>);

impl Slots {
    pub fn new(holds: &[Holds], is_wanted: impl Fn(usize) -> bool, rows: usize) -> Self {
        let slot = |(index, holds): (usize, &Holds)| match holds {
            _ if !is_wanted(index) => Slot::Skipped,
            Holds::Integers => Slot::Integers(Vec::with_capacity(rows)),
            Holds::Times => Slot::Times(Vec::with_capacity(rows)),
            Holds::Text => Slot::Text(Text::with_capacity(rows)),
        };
        Self(holds.iter().enumerate().map(slot).collect())
    }

    /// The last column that is wanted, plus one.
    pub fn depth(&self) -> usize {
        self.0.iter().rposition(|slot| !matches!(slot, Slot::Skipped)).map_or(0, |last| last + 1)
    }

    pub fn number(&mut self, at: usize, value: i64) {
        if let Slot::Integers(values) | Slot::Times(values) = &mut self.0[at] {
            values.push(value);
        }
    }

    pub fn text(&mut self, at: usize, value: &str) {
        self.write(at, |bytes| bytes.extend_from_slice(value.as_bytes()));
    }

    /// Lets `write` add the bytes of a value, ASCII or whole UTF-8.
    pub fn write(&mut self, at: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if let Slot::Text(text) = &mut self.0[at] {
            write(&mut text.bytes);
            text.end();
        }
    }

    /// A row that is not there, for a struct that is NULL.
    pub fn nothing(&mut self) {
        for slot in &mut self.0 {
            match slot {
                Slot::Skipped => {}
                Slot::Integers(values) | Slot::Times(values) => values.push(0),
                Slot::Text(text) => text.end(),
            }
        }
    }

    /// The arrays of the wanted columns; `None` for the others.
    pub fn finish(self) -> Vec<Option<ArrayRef>> {
        self.0
            .into_iter()
            .map(|slot| match slot {
                Slot::Skipped => None,
                Slot::Integers(values) => Some(Arc::new(Int64Array::from(values)) as ArrayRef),
                Slot::Times(values) => Some(Arc::new(TimestampMillisecondArray::from(values)) as ArrayRef),
                Slot::Text(text) => Some(Arc::new(text.finish()) as ArrayRef),
            })
            .collect()
    }
}
