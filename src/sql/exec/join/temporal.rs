//! A stream meets a table as it was at the row's own time: versions by key and event time. A row waits for the
//! watermark, for until then an earlier version may come; a version goes when no row can ask for it any more.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, UInt32Array};
use arrow::compute::{self, SortColumn};

use super::clock::{clock, milliseconds, restored_clock};
use super::expression::{self, defect, evaluate};
use super::index::NONE;
use super::key::Keys;
use super::lookup::{Lookup, release};
use super::side::{SLOT_COLUMNS, STAYS, Side};
use crate::connectors::contract::Op;
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::operator::{Operator, Output, StateTable};
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::AsOf;

/// What [`super::store::Slot::matched`] says of a version that is a deletion.
const TOMBSTONE: u32 = 1;

/// The operator of `FOR SYSTEM_TIME AS OF`.
pub(super) struct TemporalJoin {
    sides: [Side; 2],
    lookup: Lookup,
    as_of: Option<AsOf>,
    late: LateStrategy,
    watermark: i64,
}

impl TemporalJoin {
    /// An operator with an empty table. Rows ask for the version of their own time, or of that of `as_of`.
    pub fn new(sides: [Side; 2], lookup: Lookup, as_of: Option<AsOf>, late: LateStrategy) -> Self {
        Self { sides, lookup, as_of, late, watermark: i64::MIN }
    }

    /// The oldest time that a row which is still to come may ask for.
    fn oldest(&self) -> i64 {
        let behind_ms = self.as_of.as_ref().map_or(0, |as_of| as_of.behind_ms);
        if self.watermark == i64::MAX { i64::MAX } else { self.watermark.saturating_sub(behind_ms) }
    }

    /// Rows of the stream wait for their time. Their output has the later of the two times.
    fn wait(&mut self, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let mut expressions = self.sides[0].expressions.clone();
        let keys = expressions.len();
        expressions.extend(self.as_of.as_ref().map(|as_of| Arc::clone(&as_of.time)));
        let (chunk, mut values) = evaluate(&expressions, chunk, out)?;
        let carried = values.get(keys).map(milliseconds).transpose()?;
        values.truncate(keys);
        // Versions that older rows would ask for are gone: where late rows are kept, they ask for the oldest there are.
        let keeps_late = matches!(self.late, LateStrategy::IncludeInNextWindow | LateStrategy::UpdatePrevious);
        let (oldest, now) = if keeps_late { (self.oldest(), self.watermark) } else { (i64::MIN, i64::MIN) };
        let is_late = |row: usize| chunk.times[row].min(STAYS - 1) < self.watermark;
        let as_of = |row: usize| match &carried {
            Some(times) if times.is_null(row) => i64::MIN,
            Some(times) => times.value(row).max(oldest),
            None => chunk.times[row].max(oldest),
        };
        let due = |row: usize| as_of(row).max(chunk.times[row]).max(now).min(STAYS - 1);
        let mut rows: Vec<u32> = Vec::with_capacity(chunk.rows());
        for row in 0..chunk.rows() {
            if is_late(row) {
                out.late_rows += 1;
                if self.late == LateStrategy::DeadLetter {
                    out.bad.push(expression::late(&chunk, row, self.watermark));
                }
            }
            if due(row) >= self.watermark {
                rows.push(u32::try_from(row).map_err(defect)?);
            }
        }
        let dues: Vec<i64> = rows.iter().map(|row| due(*row as usize)).collect();
        let side = &mut self.sides[0];
        let encoded = side.encode(&values, chunk.rows())?;
        let kept = pick(side.kept(&chunk.batch, &values)?, &rows)?;
        let slots = side.append(kept, &dues, &dues)?;
        for (row, slot) in rows.iter().zip(&slots) {
            side.link(&encoded, *row as usize, *slot);
            side.store.slot_mut(*slot).at = as_of(*row as usize);
        }
        Ok(())
    }

    /// Rows of the table become versions.
    fn learn(&mut self, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let oldest = self.oldest();
        let side = &mut self.sides[1];
        let (chunk, keys) = evaluate(&side.expressions.clone(), chunk, out)?;
        let encoded = side.encode(&keys, chunk.rows())?;
        // The old half of a replacement says nothing that its new half does not, unless the key changes.
        let is_replaced = |row: usize| {
            chunk.op(row) == Op::UpdateBefore && row + 1 < chunk.rows() && encoded.key(row) == encoded.key(row + 1)
        };
        let rows = (0u32..).take(chunk.rows());
        let rows: Vec<u32> =
            rows.filter(|row| !encoded.is_null(*row as usize) && !is_replaced(*row as usize)).collect();
        let times: Vec<i64> = rows.iter().map(|row| chunk.times[*row as usize]).collect();
        let kept = pick(side.kept(&chunk.batch, &keys)?, &rows)?;
        let slots = side.append(kept, &times, &vec![STAYS; rows.len()])?;
        for (row, slot) in rows.iter().zip(slots) {
            let is_gone = !chunk.op(*row as usize).is_addition();
            side.store.slot_mut(slot).matched = if is_gone { TOMBSTONE } else { 0 };
            let is_needed = insert(side, &encoded, *row as usize, slot, oldest);
            out.late_rows += u64::from(!is_needed);
            if !is_needed && self.late == LateStrategy::DeadLetter {
                out.bad.push(expression::late(&chunk, *row as usize, self.watermark));
            }
        }
        Ok(())
    }
}

/// Puts a version where its time says. Says whether any row that is still to come can ask for it.
fn insert(side: &mut Side, keys: &Keys, row: usize, slot: u32, oldest: i64) -> bool {
    let time = side.store.slot(slot).time;
    let newest = side.index.find_row(keys, row).map_or(NONE, |group| side.index.head(group));
    if newest == NONE || side.store.slot(newest).time <= time {
        side.link(keys, row, slot);
    } else {
        let mut newer = newest;
        let mut next = side.index.next(newer);
        while next != NONE && side.store.slot(next).time > time {
            (newer, next) = (next, side.index.next(next));
        }
        side.index.link_behind(newer, slot);
    }
    let (newer, older) = (side.index.previous(slot), side.index.next(slot));
    let until = |side: &Side, version: u32| side.store.slot(version).time.saturating_sub(1);
    if older != NONE {
        let due = until(side, slot);
        side.store.put_off(older, due);
    }
    // A deletion that nothing older is left of says nothing; it goes with what it ended.
    let mut due = if side.store.slot(slot).matched == TOMBSTONE { until(side, slot) } else { STAYS };
    if newer != NONE {
        due = due.min(until(side, newer));
    }
    side.store.put_off(slot, due);
    newer == NONE || until(side, newer) >= oldest
}

fn pick(batch: RecordBatch, rows: &[u32]) -> Result<RecordBatch, Fault> {
    if rows.len() == batch.num_rows() {
        return Ok(batch);
    }
    compute::take_record_batch(&batch, &UInt32Array::from(rows.to_vec())).map_err(defect)
}

impl Operator for TemporalJoin {
    fn push(&mut self, port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        if port == 1 { self.learn(chunk, out) } else { self.wait(chunk, out) }
    }

    fn watermark(&mut self, watermark: i64, out: &mut Output) -> Result<i64, Fault> {
        self.watermark = self.watermark.max(watermark);
        let mut due = self.sides[0].store.take_due(self.watermark);
        due.sort_by_key(|slot| self.sides[0].store.slot(*slot).time);
        for slot in &due {
            let group = self.sides[0].index.group_of(*slot);
            let mut version = NONE;
            if group != NONE {
                let (hash, key) = self.sides[0].index.key(group);
                let (table, at) = (&self.sides[1], self.sides[0].store.slot(*slot).at);
                let mut versions = table.index.find(hash, key).into_iter().flat_map(|group| table.index.slots(group));
                let found = versions.find(|version| table.store.slot(*version).time <= at);
                version = found.filter(|version| table.store.slot(*version).matched != TOMBSTONE).unwrap_or(NONE);
            }
            let found = (version != NONE).then_some(version);
            self.lookup.ask(&mut self.sides, *slot, found.into_iter(), None, out)?;
        }
        self.lookup.answer(&mut self.sides, None, out)?;
        release(&mut self.sides[0], &due)?;
        let oldest = self.oldest();
        let expired = self.sides[1].store.take_due(oldest);
        release(&mut self.sides[1], &expired)?;
        Ok(self.watermark)
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        let mut tables = self.sides[0].snapshot()?;
        tables.extend(self.sides[1].snapshot()?);
        tables.push(clock(self.watermark)?);
        Ok(tables)
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        self.watermark = restored_clock(&tables).unwrap_or(i64::MIN);
        for table in &tables {
            self.sides[0].restore(table)?;
        }
        let versions: Vec<&StateTable> = tables.iter().filter(|table| self.sides[1].is_mine(table)).collect();
        if let Some(ordered) = ordered(&versions)? {
            self.sides[1].restore(&ordered)?;
        }
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.sides.iter().map(Side::bytes).sum()
    }

    fn state_rows(&self) -> usize {
        self.sides.iter().map(|side| side.store.live()).sum()
    }
}

/// The versions of a snapshot by time, due and whether they are deletions: a version is found by its place among those
/// of its key, the oldest first, and of those of one time the one that rules last.
fn ordered(tables: &[&StateTable]) -> Result<Option<StateTable>, Fault> {
    let Some(first) = tables.first() else { return Ok(None) };
    let batches = tables.iter().map(|table| &table.batch);
    let batch = compute::concat_batches(&first.batch.schema(), batches).map_err(defect)?;
    if batch.num_columns() < SLOT_COLUMNS {
        return Ok(Some(StateTable { batch, ..(*first).clone() }));
    }
    let by =
        |behind: usize| SortColumn { values: Arc::clone(batch.column(batch.num_columns() - behind)), options: None };
    let rows = compute::lexsort_to_indices(&[by(4), by(2), by(1)], None).map_err(defect)?;
    let batch = compute::take_record_batch(&batch, &rows).map_err(defect)?;
    Ok(Some(StateTable { batch, ..(*first).clone() }))
}
