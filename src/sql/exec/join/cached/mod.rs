//! A stream looks into a table that is held whole, shared by all that look: a row meets what the table holds at that
//! moment, and what it holds later changes nothing that was given. It keeps nothing of the stream and reads no source.

mod cache;
mod newest;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, UInt32Array};

pub use self::cache::{Cache, Filling};
pub use self::newest::Newest;
use self::rows::Rows;
use super::expression::{bad, defect, evaluate};
use super::index::NONE;
use super::key::Keys;
use super::pairing::{PAIRS_MAX, Shape};
use super::side::batch_of;
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::evaluate::FailedRow;
use crate::sql::exec::operator::{Operator, Output};

/// The operator of lookup joins.
pub struct CachedJoin {
    cache: Arc<Cache>,
    pairs: Pairs,
    /// Rows of the stream that have not been answered yet.
    rest: Option<Rest>,
}

/// Rows of the stream that look into the table as it was when they came.
struct Rest {
    chunk: Chunk,
    keys: Keys,
    rows: Arc<Rows>,
    next: u32,
}

/// Rows of the chunk at work, and rows of the table that they may meet.
#[derive(Default)]
struct Pairs {
    own: Vec<u32>,
    other: Vec<u32>,
}

impl CachedJoin {
    /// An operator that looks into `cache`.
    pub fn new(cache: Arc<Cache>) -> Self {
        Self { cache, pairs: Pairs::default(), rest: None }
    }

    /// Answers the rows `from..to` of a chunk, whose candidates are complete.
    fn settle(&mut self, chunk: &Chunk, rows: &Rows, from: u32, to: u32, out: &mut Output) -> Result<(), Fault> {
        let mut pairs = std::mem::take(&mut self.pairs);
        self.drop_strangers(chunk, rows, &mut pairs, out)?;
        match self.cache.shape() {
            Shape::Pairs { pads: [false, _] } => self.give(chunk, rows, &pairs, None, out)?,
            Shape::Pairs { .. } => self.give(chunk, rows, &padded(&pairs, from, to), None, out)?,
            Shape::Member { gives, marks, .. } => {
                let (mut given, mut truths, mut at) = (Pairs::default(), Vec::new(), 0);
                for row in from..to {
                    let has_partner = pairs.own.get(at) == Some(&row);
                    at += pairs.own[at..].iter().take_while(|own| **own == row).count();
                    if gives[usize::from(!has_partner)] {
                        given.own.push(row);
                        truths.push(has_partner);
                    }
                }
                self.give(chunk, rows, &given, marks.then_some(truths.as_slice()), out)?;
            }
        }
        pairs.own.clear();
        pairs.other.clear();
        self.pairs = pairs;
        Ok(())
    }

    /// Leaves the pairs for which the condition holds.
    fn drop_strangers(&self, chunk: &Chunk, rows: &Rows, pairs: &mut Pairs, out: &mut Output) -> Result<(), Fault> {
        let Some(condition) = self.cache.condition() else { return Ok(()) };
        let mut truths = Vec::with_capacity(pairs.own.len());
        for (own, other) in pairs.own.chunks(PAIRS_MAX).zip(pairs.other.chunks(PAIRS_MAX)) {
            let places = UInt32Array::from(own.to_vec());
            let taken = condition
                .columns(0)
                .iter()
                .map(|column| arrow::compute::take(chunk.batch.column(*column), &places, None).map_err(defect));
            let mut columns = taken.collect::<Result<Vec<_>, _>>()?;
            columns.extend(rows.gather(other, condition.columns(1))?);
            let failed = |failed: FailedRow| {
                out.bad.push(bad(Some((chunk, own[failed.row] as usize)), failed));
            };
            truths.extend(condition.truths(columns, own.len(), failed)?);
        }
        let mut kept = truths.iter();
        pairs.own.retain(|_| kept.next() == Some(&true));
        let mut kept = truths.iter();
        pairs.other.retain(|_| kept.next() == Some(&true));
        Ok(())
    }

    /// Gives pairs, as many at a time as are worth a chunk.
    fn give(
        &self,
        chunk: &Chunk,
        rows: &Rows,
        pairs: &Pairs,
        marks: Option<&[bool]>,
        out: &mut Output,
    ) -> Result<(), Fault> {
        let shows_table = matches!(self.cache.shape(), Shape::Pairs { .. });
        for from in (0..pairs.own.len()).step_by(PAIRS_MAX) {
            let to = pairs.own.len().min(from + PAIRS_MAX);
            let own = picked(chunk, &pairs.own[from..to])?;
            let mut columns: Vec<ArrayRef> = own.batch.columns().to_vec();
            if shows_table {
                columns.extend(rows.gather(&pairs.other[from..to], self.cache.shown())?);
            }
            if let Some(marks) = marks {
                columns.push(Arc::new(BooleanArray::from(marks[from..to].to_vec())));
            }
            let batch = batch_of(self.cache.output(), columns, to - from)?;
            out.give(own.with_batch(batch));
        }
        Ok(())
    }
}

impl Operator for CachedJoin {
    fn push(&mut self, _port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let (chunk, keys) = evaluate(self.cache.asks_by(), chunk, out)?;
        let keys = self.cache.codec().encode(&keys, chunk.rows()).map_err(defect)?;
        self.rest = Some(Rest { chunk, keys, rows: self.cache.rows(), next: 0 });
        self.go_on(out)
    }

    fn has_more(&self) -> bool {
        self.rest.is_some()
    }

    /// Answers rows until all are or the output is full: a key that many rows of the table share cannot fill the memory.
    fn go_on(&mut self, out: &mut Output) -> Result<(), Fault> {
        let Some(Rest { chunk, keys, rows, next }) = self.rest.take() else { return Ok(()) };
        // Whether there is a partner is all that is asked: the first one tells.
        let needs_all = matches!(self.cache.shape(), Shape::Pairs { .. }) || self.cache.condition().is_some();
        let end = u32::try_from(chunk.rows()).map_err(defect)?;
        let (mut from, mut hits, mut row) = (next, 0, next);
        while row < end && !out.is_full() {
            let found = rows.find(&keys, row as usize);
            hits += usize::from(!found.is_empty());
            let found = if needs_all { found } else { &found[..found.len().min(1)] };
            self.pairs.own.resize(self.pairs.own.len() + found.len(), row);
            self.pairs.other.extend_from_slice(found);
            row += 1;
            if self.pairs.own.len() >= PAIRS_MAX {
                self.settle(&chunk, &rows, from, row, out)?;
                from = row;
            }
        }
        self.cache.counters().asked(hits, (row - next) as usize - hits);
        self.settle(&chunk, &rows, from, row, out)?;
        if row < end {
            self.rest = Some(Rest { chunk, keys, rows, next: row });
        }
        Ok(())
    }
}

/// The pairs, and each row of `from..to` that is in none of them by itself, in the order of the rows.
fn padded(pairs: &Pairs, from: u32, to: u32) -> Pairs {
    let rows = pairs.own.len() + (to - from) as usize;
    let mut padded = Pairs { own: Vec::with_capacity(rows), other: Vec::with_capacity(rows) };
    let mut at = 0;
    for row in from..to {
        let begin = at;
        while pairs.own.get(at) == Some(&row) {
            padded.own.push(row);
            padded.other.push(pairs.other[at]);
            at += 1;
        }
        if at == begin {
            padded.own.push(row);
            padded.other.push(NONE);
        }
    }
    padded
}

/// Rows of a chunk, in the order of `places`, which never falls; all of them as they are where each is there once.
fn picked(chunk: &Chunk, places: &[u32]) -> Result<Chunk, Fault> {
    let is_whole = places.len() == chunk.rows() && (0u32..).zip(places).all(|(row, place)| row == *place);
    if is_whole { Ok(chunk.clone()) } else { chunk.take(&UInt32Array::from(places.to_vec())).map_err(defect) }
}
