//! The sink of a live query: it never waits. Rows are held as they came until the next frame; only those that reach the view
//! are written out, the rest is counted.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use arrow::array::{Int8Array, RecordBatch};
use arrow::datatypes::Schema;
use arrow::row::{RowConverter, SortField};
use async_trait::async_trait;

use super::cells::Writer;
use crate::app::feed::TAP_ROWS_MAX;
use crate::app::model::queries::{QUERY_ROWS_MAX, QueryRow, RowChange};
use crate::clock::now_ms;
use crate::connectors::contract::{BadRow, Op, Sink, SinkRows};
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;

/// The writing end.
pub struct Screen {
    view: Arc<Mutex<View>>,
}

impl Screen {
    /// A sink that fills this view.
    pub fn new(view: Arc<Mutex<View>>) -> Self {
        Self { view }
    }
}

#[async_trait]
impl Sink for Screen {
    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        self.view.hold().add(rows)?;
        Ok(Vec::new())
    }
}

/// What a result has come to so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Made {
    /// Changes: a row that came, one that was replaced, one that was taken back count as one each.
    pub changes: u64,
    /// Rows that stand now.
    pub rows: u64,
}

/// Rows between two frames.
pub struct View {
    made: Made,
    next_born: u64,
    came: Came,
    folded: Option<Folded>,
}

/// What came since the last frame.
#[derive(Default)]
pub struct Came {
    batches: VecDeque<RecordBatch>,
    /// Of a result whose rows only come: rows in the batches.
    appended: usize,
    /// Place of the first row that is held, by its appearance.
    first_born: u64,
    /// Of a result that changes: the newest change of each slot.
    changed: BTreeMap<u32, Change>,
    at_ms: i64,
    skipped: u64,
}

/// A change of a slot; of one that is empty now there is no place.
struct Change {
    born: u64,
    /// Batch and row.
    place: Option<(usize, usize)>,
    is_update: bool,
}

impl View {
    /// An empty view of a result of these columns.
    pub fn new(schema: &Schema, is_changelog: bool, key: Vec<usize>) -> Self {
        let folded = is_changelog.then(|| Folded::new(schema, key));
        Self { made: Made::default(), next_born: 0, came: Came::default(), folded }
    }

    /// Takes rows.
    ///
    /// # Errors
    /// A key that cannot be compared, which is a defect.
    pub fn add(&mut self, rows: SinkRows) -> Result<(), Fault> {
        let SinkRows { batch, ops, .. } = rows;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.came.at_ms = now_ms();
        self.made.count(ops.as_ref(), batch.num_rows());
        match &mut self.folded {
            Some(folded) => {
                let op = |row: usize| ops.as_ref().map_or(Op::Insert, |ops| Op::of(ops.value(row)));
                folded.fold(&batch, op, &mut self.next_born, &mut self.came)?;
                self.came.batches.push_back(batch);
            }
            None => {
                self.next_born += batch.num_rows() as u64;
                self.came.appended += batch.num_rows();
                self.came.batches.push_back(batch);
                while let Some(oldest) = self.came.batches.front().map(RecordBatch::num_rows)
                    && TAP_ROWS_MAX <= self.came.appended - oldest
                {
                    self.came.batches.pop_front();
                    self.came.appended -= oldest;
                    self.came.skipped += oldest as u64;
                }
                self.came.first_born = self.next_born - self.came.appended as u64;
            }
        }
        Ok(())
    }

    /// What came since the last time.
    pub fn take(&mut self) -> Came {
        std::mem::take(&mut self.came)
    }

    /// All that came so far, whether it is held or not.
    pub fn made(&self) -> Made {
        self.made
    }
}

impl Made {
    /// A row that is replaced comes as two, before and after: that is one change, and no row more.
    fn count(&mut self, ops: Option<&Int8Array>, rows: usize) {
        let count = |wanted: Op| {
            let is_wanted = |byte: &&i8| Op::of(**byte) == wanted;
            ops.map_or(0, |ops| ops.values().iter().filter(is_wanted).count() as u64)
        };
        let (before, gone) = (count(Op::UpdateBefore), count(Op::Delete));
        let came = rows as u64 - before - gone - count(Op::UpdateAfter);
        self.changes += rows as u64 - before;
        self.rows = (self.rows + came).saturating_sub(gone);
    }
}

impl Came {
    /// Rows as text, and how many were made that are not among them.
    ///
    /// # Errors
    /// A type that has no text, which is a defect.
    pub fn written(self) -> Result<(Vec<QueryRow>, u64), Fault> {
        let writers = self.batches.iter().map(Writer::new).collect::<Result<Vec<_>, _>>()?;
        let mut rows = Vec::new();
        for (slot, change) in &self.changed {
            rows.push(QueryRow {
                change: if change.place.is_some() { RowChange::Changed } else { RowChange::Removed },
                born: change.born,
                slot: *slot,
                cells: change.place.map_or_else(Vec::new, |(batch, row)| writers[batch].row(row)),
                at_ms: self.at_ms,
                is_update: change.is_update,
            });
        }
        let beyond = self.appended.saturating_sub(TAP_ROWS_MAX);
        let mut born = self.first_born;
        let appended = self.batches.iter().zip(&writers).take_while(|_| 0 < self.appended);
        for (batch, writer) in appended {
            for row in 0..batch.num_rows() {
                let is_beyond = born < self.first_born + beyond as u64;
                if !is_beyond {
                    let (change, cells) = (RowChange::Appended, writer.row(row));
                    rows.push(QueryRow { change, born, slot: 0, cells, at_ms: self.at_ms, is_update: false });
                }
                born += 1;
            }
        }
        Ok((rows, self.skipped + beyond as u64))
    }
}

/// The rows of a result that changes, each in a slot of its own: by key where there is one, else by all that it says. The
/// row that changed longest ago gives its slot away when there are too many.
struct Folded {
    key: Vec<usize>,
    converter: Option<RowConverter>,
    by_key: HashMap<Box<[u8]>, Vec<u32>>,
    slots: Vec<Slot>,
    /// Slots by their last change, the oldest first.
    by_change: BTreeMap<u64, u32>,
    free: Vec<u32>,
    changes: u64,
    /// Whether a key tells rows apart; otherwise equal rows may stand several times.
    has_key: bool,
}

struct Slot {
    key: Box<[u8]>,
    born: u64,
    changed: u64,
}

impl Folded {
    fn new(schema: &Schema, key: Vec<usize>) -> Self {
        let has_key = !key.is_empty();
        let key = if has_key { key } else { (0..schema.fields().len()).collect() };
        let fields = key.iter().map(|column| SortField::new(schema.field(*column).data_type().clone())).collect();
        Self {
            key,
            converter: RowConverter::new(fields).ok(),
            by_key: HashMap::new(),
            slots: Vec::new(),
            by_change: BTreeMap::new(),
            free: Vec::new(),
            changes: 0,
            has_key,
        }
    }

    fn fold(
        &mut self,
        batch: &RecordBatch,
        op: impl Fn(usize) -> Op,
        next_born: &mut u64,
        came: &mut Came,
    ) -> Result<(), Fault> {
        let keys = self.keys(batch)?;
        let at = came.batches.len();
        // The slot whose row was just taken back to be replaced by the next one.
        let mut vacated: Option<u32> = None;
        for (row, key) in keys.into_iter().enumerate() {
            match op(row) {
                Op::UpdateBefore if self.has_key => {}
                Op::UpdateBefore => vacated = self.leave(&key),
                Op::Delete => match self.leave(&key) {
                    Some(slot) => {
                        let born = self.slots[slot as usize].born;
                        self.free.push(slot);
                        came.change(slot, Change { born, place: None, is_update: true });
                    }
                    // It had given its slot away: the view does not hold it.
                    None => came.skipped += 1,
                },
                Op::Insert | Op::UpdateAfter => {
                    let known = self.by_key.get(&key).filter(|_| self.has_key).and_then(|slots| slots.first().copied());
                    let (slot, is_update) = match known.or_else(|| vacated.take()) {
                        Some(slot) => (slot, true),
                        None => (self.slot(*next_born), false),
                    };
                    if !is_update {
                        *next_born += 1;
                    }
                    self.stand(slot, key);
                    let born = self.slots[slot as usize].born;
                    came.change(slot, Change { born, place: Some((at, row)), is_update });
                }
            }
        }
        if let Some(slot) = vacated {
            let born = self.slots[slot as usize].born;
            self.free.push(slot);
            came.change(slot, Change { born, place: None, is_update: true });
        }
        Ok(())
    }

    fn keys(&mut self, batch: &RecordBatch) -> Result<Vec<Box<[u8]>>, Fault> {
        let columns: Vec<_> = self.key.iter().map(|column| Arc::clone(batch.column(*column))).collect();
        let Some(converter) = &mut self.converter else {
            // A type that has no order still has a text.
            let batch = batch.project(&self.key).map_err(|error| Fault::new(Blame::Program, error.to_string()))?;
            let writer = Writer::new(&batch)?;
            let text = |row: usize| format!("{:?}", writer.row(row)).into_bytes().into_boxed_slice();
            return Ok((0..batch.num_rows()).map(text).collect());
        };
        let rows = converter
            .convert_columns(&columns)
            .map_err(|error| Fault::new(Blame::Program, format!("a result's key cannot be compared: {error}")))?;
        Ok(rows.iter().map(|row| row.as_ref().into()).collect())
    }

    /// Takes a row out of its slot, which is empty then.
    fn leave(&mut self, key: &[u8]) -> Option<u32> {
        let slots = self.by_key.get_mut(key)?;
        let slot = slots.pop()?;
        if slots.is_empty() {
            self.by_key.remove(key);
        }
        self.by_change.remove(&self.slots[slot as usize].changed);
        Some(slot)
    }

    /// A slot for a row that is new.
    fn slot(&mut self, born: u64) -> u32 {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.slots.len() < QUERY_ROWS_MAX => {
                self.slots.push(Slot { key: Box::default(), born, changed: 0 });
                (self.slots.len() - 1) as u32
            }
            None => {
                let oldest = self.by_change.pop_first().map_or(0, |(_, slot)| slot);
                let key = std::mem::take(&mut self.slots[oldest as usize].key);
                if let Some(slots) = self.by_key.get_mut(&key) {
                    slots.retain(|slot| *slot != oldest);
                    if slots.is_empty() {
                        self.by_key.remove(&key);
                    }
                }
                oldest
            }
        };
        self.slots[slot as usize].born = born;
        slot
    }

    /// Puts a row into a slot.
    fn stand(&mut self, slot: u32, key: Box<[u8]>) {
        self.changes += 1;
        let held = &mut self.slots[slot as usize];
        self.by_change.remove(&held.changed);
        held.changed = self.changes;
        self.by_change.insert(self.changes, slot);
        held.key.clone_from(&key);
        let slots = self.by_key.entry(key).or_default();
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }
}

impl Came {
    fn change(&mut self, slot: u32, change: Change) {
        let replaced = self.changed.insert(slot, change);
        self.skipped += u64::from(replaced.is_some());
    }
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
