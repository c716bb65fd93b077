//! The rows of one side of a join, in the batches that they came in: appended, gathered by slot, taken out one by one.
//! A slot stays what it is while its row moves from a thinned batch into a full one. It knows no keys.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array, new_null_array};
use arrow::compute;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use super::agenda::{Agenda, Ask};
use super::buffers::{needed_bytes, owned};
use super::index::NONE;

/// Batches below this are worth joining together: their headers would weigh as much as their rows.
const SMALL_ROWS: usize = 1_024;
/// How many small batches may lie about: one record a second makes a batch each, and every gather looks at them.
const SMALL_BATCHES_MAX: usize = 64;
/// Dead rows that are not worth a compaction, whatever their share.
const DEAD_ROWS_MIN: usize = 8_192;

/// Rows by slot.
pub(super) struct Store {
    schema: SchemaRef,
    segments: Vec<Option<Segment>>,
    free_segments: Vec<u32>,
    small: Vec<u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    agenda: Agenda,
    nothing: Vec<ArrayRef>,
    /// For each segment its place among those of the gather at work.
    ordinals: Vec<u32>,
    live: usize,
    rows: usize,
    bytes: usize,
}

struct Segment {
    batch: RecordBatch,
    slots: Vec<u32>,
    live: usize,
    bytes: usize,
}

/// What is kept of a row beside its columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    segment: u32,
    row: u32,
    /// Event time, milliseconds since 1970.
    pub time: i64,
    /// The time that the join compares, where it is not the event time; else the same.
    pub at: i64,
    /// The last time at which the row is needed; it goes when the clock of its agenda is past it.
    pub due: i64,
    /// How many partners it has met, or 1 where only whether matters.
    pub matched: u32,
}

/// Later than every due that can be: the row stays.
pub(super) const NEVER: i64 = i64::MAX;

impl Store {
    /// A store of rows of this schema.
    pub fn new(schema: SchemaRef) -> Self {
        let nothing = schema.fields().iter().map(|field| new_null_array(field.data_type(), 1)).collect();
        Self {
            schema,
            segments: Vec::new(),
            free_segments: Vec::new(),
            small: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            agenda: Agenda::default(),
            nothing,
            ordinals: Vec::new(),
            live: 0,
            rows: 0,
            bytes: 0,
        }
    }

    /// Rows held.
    pub fn live(&self) -> usize {
        self.live
    }

    /// What is kept of a row beside its columns.
    pub fn slot(&self, slot: u32) -> &Slot {
        &self.slots[slot as usize]
    }

    /// The same, to change. Of `due` see [`Store::put_off`].
    pub fn slot_mut(&mut self, slot: u32) -> &mut Slot {
        &mut self.slots[slot as usize]
    }

    /// Takes rows in, and tells their slots. `dues` is [`NEVER`] for rows that stay until they are removed.
    pub fn append(&mut self, batch: RecordBatch, times: &[i64], dues: &[i64]) -> Result<Vec<u32>, ArrowError> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(Vec::new());
        }
        let batch = owned(batch)?;
        let mut slots = Vec::with_capacity(rows);
        for (time, due) in times.iter().zip(dues) {
            let slot = Slot { segment: NONE, row: 0, time: *time, at: *time, due: *due, matched: 0 };
            slots.push(match self.free.pop() {
                Some(free) => {
                    self.slots[free as usize] = slot;
                    free
                }
                None => {
                    self.slots.push(slot);
                    u32::try_from(self.slots.len() - 1).map_err(|_| too_many())?
                }
            });
        }
        if dues.iter().any(|due| *due != NEVER) {
            self.agenda.add_all(dues, &slots);
        }
        self.live += rows;
        self.add_segment(batch, slots.clone());
        self.tidy()?;
        Ok(slots)
    }

    /// Moves the due of a row.
    pub fn put_off(&mut self, slot: u32, due: i64) {
        self.slots[slot as usize].due = due;
        if due != NEVER {
            self.agenda.add(due, slot);
        }
    }

    /// The slots whose due is before `time`, each handed out once. They stay until they are removed.
    pub fn take_due(&mut self, time: i64) -> Vec<u32> {
        let mut due = Vec::new();
        let slots = &mut self.slots;
        self.agenda.take(time, |number, ask| {
            let slot = &mut slots[number as usize];
            if ask == Ask::Take {
                slot.due = NEVER;
                due.push(number);
            }
            (slot.segment != NONE && slot.due != NEVER).then_some(slot.due)
        });
        due
    }

    /// Takes a row out. A slot without a row is left alone.
    pub fn remove(&mut self, slot: u32) {
        let entry = &mut self.slots[slot as usize];
        let (number, row) = (entry.segment, entry.row);
        let Some(segment) = self.segments.get_mut(number as usize).and_then(Option::as_mut) else { return };
        entry.segment = NONE;
        segment.slots[row as usize] = NONE;
        segment.live -= 1;
        self.free.push(slot);
        self.live -= 1;
        if segment.live == 0 {
            self.drop_segment(number);
        }
    }

    /// Joins small batches and thinned ones, where there are enough of them to be worth it.
    pub fn tidy(&mut self) -> Result<(), ArrowError> {
        if self.small.len() > SMALL_BATCHES_MAX {
            let small = std::mem::take(&mut self.small);
            self.rewrite(&small)?;
        }
        if self.rows - self.live > self.live.max(DEAD_ROWS_MIN) {
            let thinned: Vec<u32> = (0u32..)
                .zip(&self.segments)
                .filter(|(_, segment)| segment.as_ref().is_some_and(|segment| 2 * segment.live < segment.slots.len()))
                .map(|(number, _)| number)
                .collect();
            self.small.retain(|number| !thinned.contains(number));
            self.rewrite(&thinned)?;
        }
        Ok(())
    }

    /// The columns at `columns` of the rows in `slots`, in their order; a row of NULLs for [`NONE`].
    pub fn gather(&mut self, slots: &[u32], columns: &[usize]) -> Result<Vec<ArrayRef>, ArrowError> {
        let mut used: Vec<u32> = Vec::new();
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(slots.len());
        let mut has_nothing = false;
        self.ordinals.resize(self.segments.len(), NONE);
        for slot in slots {
            if *slot == NONE {
                has_nothing = true;
                places.push((usize::MAX, 0));
                continue;
            }
            let Slot { segment, row, .. } = self.slots[*slot as usize];
            let ordinal = &mut self.ordinals[segment as usize];
            if *ordinal == NONE {
                *ordinal = u32::try_from(used.len()).unwrap_or(NONE);
                used.push(segment);
            }
            places.push((*ordinal as usize, row as usize));
        }
        for segment in &used {
            self.ordinals[*segment as usize] = NONE;
        }
        if let ([only], false) = (used.as_slice(), has_nothing) {
            let rows = UInt32Array::from_iter_values(slots.iter().map(|slot| self.slots[*slot as usize].row));
            let batch = self.batch(*only);
            return columns.iter().map(|column| compute::take(batch.column(*column), &rows, None)).collect();
        }
        if has_nothing {
            let last = used.len();
            places.iter_mut().filter(|(segment, _)| *segment == usize::MAX).for_each(|(segment, _)| *segment = last);
        }
        columns
            .iter()
            .map(|column| {
                let mut arrays: Vec<&dyn Array> =
                    used.iter().map(|segment| self.batch(*segment).column(*column).as_ref()).collect();
                arrays.push(self.nothing[*column].as_ref());
                compute::interleave(&arrays, &places)
            })
            .collect()
    }

    /// The slots of all rows.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.segments.iter().flatten().flat_map(|segment| segment.slots.iter().copied()).filter(|slot| *slot != NONE)
    }

    /// Every row with its slot, batch by batch, for a snapshot.
    pub fn rows(&self) -> Result<Vec<(RecordBatch, Vec<u32>)>, ArrowError> {
        self.segments.iter().flatten().map(Segment::living).collect()
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
            + self.slots.capacity() * size_of::<Slot>()
            + (self.free.capacity() + self.rows) * size_of::<u32>()
            + self.agenda.bytes()
    }

    fn batch(&self, segment: u32) -> &RecordBatch {
        self.segments[segment as usize].as_ref().map(|segment| &segment.batch).expect("a slot's segment is there")
    }

    fn add_segment(&mut self, batch: RecordBatch, slots: Vec<u32>) {
        let number = match self.free_segments.pop() {
            Some(number) => number,
            None => {
                self.segments.push(None);
                u32::try_from(self.segments.len() - 1).unwrap_or(NONE)
            }
        };
        for (row, slot) in (0u32..).zip(&slots) {
            let slot = &mut self.slots[*slot as usize];
            (slot.segment, slot.row) = (number, row);
        }
        if slots.len() < SMALL_ROWS {
            self.small.push(number);
        }
        let bytes = needed_bytes(&batch);
        self.bytes += bytes;
        self.rows += slots.len();
        self.segments[number as usize] = Some(Segment { batch, live: slots.len(), slots, bytes });
    }

    fn drop_segment(&mut self, number: u32) {
        if let Some(segment) = self.segments[number as usize].take() {
            self.bytes -= segment.bytes;
            self.rows -= segment.slots.len();
            if segment.slots.len() < SMALL_ROWS {
                self.small.retain(|small| *small != number);
            }
            self.free_segments.push(number);
        }
    }

    /// The living rows of these segments in new ones of a good size.
    fn rewrite(&mut self, segments: &[u32]) -> Result<(), ArrowError> {
        let mut batches = Vec::new();
        let mut slots: Vec<u32> = Vec::new();
        for number in segments {
            if let Some(segment) = &self.segments[*number as usize] {
                let (batch, living) = segment.living()?;
                batches.push(batch);
                slots.extend(living);
            }
            self.drop_segment(*number);
            if slots.len() >= 8 * SMALL_ROWS {
                let batch = compute::concat_batches(&self.schema, &batches)?;
                batches.clear();
                self.add_segment(batch, std::mem::take(&mut slots));
            }
        }
        if !slots.is_empty() {
            let batch = compute::concat_batches(&self.schema, &batches)?;
            self.add_segment(batch, slots);
        }
        Ok(())
    }
}

impl Segment {
    fn living(&self) -> Result<(RecordBatch, Vec<u32>), ArrowError> {
        if self.live == self.slots.len() {
            return Ok((self.batch.clone(), self.slots.clone()));
        }
        let mask: BooleanArray = self.slots.iter().map(|slot| Some(*slot != NONE)).collect();
        let batch = compute::filter_record_batch(&self.batch, &mask)?;
        Ok((batch, self.slots.iter().copied().filter(|slot| *slot != NONE).collect()))
    }
}

pub(super) fn too_many() -> ArrowError {
    ArrowError::ComputeError("a join holds more than four billion rows".into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, StringViewArray};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};

    use super::*;

    fn numbers(numbers: std::ops::Range<i64>) -> RecordBatch {
        let schema = Schema::new(vec![Field::new("number", DataType::Int64, false)]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from_iter_values(numbers))]).unwrap()
    }

    fn add(store: &mut Store, range: std::ops::Range<i64>) -> Vec<u32> {
        let times: Vec<i64> = range.clone().collect();
        store.append(numbers(range), &times, &times).unwrap()
    }

    fn values(store: &mut Store, slots: &[u32]) -> Vec<Option<i64>> {
        store.gather(slots, &[0]).unwrap()[0].as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn rows_are_gathered_from_anywhere_in_any_order_with_nulls_between() {
        let mut store = Store::new(numbers(0..0).schema());
        let first = add(&mut store, 0..10);
        let second = add(&mut store, 10..20);
        assert_eq!(values(&mut store, &[first[3], first[1]]), [Some(3), Some(1)]);
        assert_eq!(values(&mut store, &[second[3], NONE, first[1]]), [Some(13), None, Some(1)]);
        assert_eq!(values(&mut store, &[NONE]), [None]);
    }

    #[test]
    fn slots_outlive_compaction_and_dead_rows_cost_no_memory_for_long() {
        let mut store = Store::new(numbers(0..0).schema());
        let mut slots = Vec::new();
        for batch in 0..40 {
            slots.extend(add(&mut store, batch * 1_000..(batch + 1) * 1_000));
        }
        for slot in slots.iter().enumerate().filter(|(row, _)| row % 10 != 0).map(|(_, slot)| slot) {
            store.remove(*slot);
        }
        store.tidy().unwrap();
        assert_eq!(store.live(), 4_000);
        assert!(store.rows < 8_000, "{} rows are kept", store.rows);
        let kept: Vec<u32> = slots.iter().copied().step_by(10).collect();
        let expected: Vec<Option<i64>> = (0..40_000).step_by(10).map(Some).collect();
        assert_eq!(values(&mut store, &kept), expected);
        assert_eq!(store.take_due(20_000).len(), 2_000);
    }

    #[test]
    fn a_few_rows_of_a_large_batch_do_not_keep_it_alive() {
        let text = StringViewArray::from_iter_values((0..10_000).map(|row| format!("a text of some length {row}")));
        let schema = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8View, false)]));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(text)]).unwrap();
        let mut store = Store::new(schema);
        store.append(batch.slice(5_000, 10), &[0; 10], &[NEVER; 10]).unwrap();
        assert!(store.segments[0].as_ref().unwrap().batch.get_array_memory_size() < 5_000);
        assert!(store.bytes() < 10_000);
    }
}
