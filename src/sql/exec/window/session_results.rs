//! The results of sessions: changes against what was given before, and final ones. It decides nothing about which sessions
//! there are.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int8Array, TimestampMillisecondArray, UInt32Array};

use super::session::Sessions;
use crate::connectors::contract::Op;
use crate::core::fault::Fault;
use crate::sql::exec::aggregate::changes::{differences, joined};
use crate::sql::exec::aggregate::failed;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::columns::taken;
use crate::sql::exec::map::batch_of;
use crate::sql::exec::operator::Output;
use crate::sql::plan::stream::EmitMode;

/// A result that was given and does not hold any more.
pub(super) struct Noted {
    pub key: u32,
    pub bounds: (i64, i64),
}

/// A row to be given: what happens, key, first and last, and where its results are: old ones first, new ones behind.
struct Given(Op, u32, (i64, i64), usize);

impl Sessions {
    /// Keeps the results, as they were given, of sessions that change now.
    pub(super) fn note(&mut self, sessions: &[usize]) -> Result<(), Fault> {
        let mut groups = Vec::new();
        for session in sessions {
            let Some(span) = self.spans.get_mut(*session) else { continue };
            if let (Some(bounds), Some(group), None) = (span.given, span.group, span.noted) {
                span.noted = Some(self.noted.len());
                self.noted.push(Noted { key: span.key, bounds });
                groups.push(group);
            }
        }
        if !groups.is_empty() {
            self.before.push(self.groups.results(&groups)?);
        }
        Ok(())
    }

    /// The changes since they were given last. What other bounds have become of is another row: the old one is deleted.
    pub(super) fn give(&mut self, out: &mut Output) -> Result<(), Fault> {
        let (touched, noted) = (std::mem::take(&mut self.touched), std::mem::take(&mut self.noted));
        let before = joined(&std::mem::take(&mut self.before))?;
        let mut is_paired = vec![false; noted.len()];
        let (mut given, mut pairs, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for session in touched {
            let Some(span) = self.spans.get_mut(session) else { continue };
            span.is_touched = false;
            let (bounds, old) = ((span.first, span.last), span.noted.take());
            if span.is_gone {
                continue;
            }
            let group = span.group.filter(|group| self.groups.count(*group) > 0 && !span.is_spilled);
            let group = group.filter(|_| self.emit != EmitMode::Final || span.is_closed);
            span.given = group.map(|_| bounds);
            let Some(group) = group else { continue };
            let new = noted.len() + groups.len();
            groups.push(group);
            match old.filter(|old| noted[*old].bounds == bounds) {
                Some(old) => {
                    is_paired[old] = true;
                    pairs.push((old, new, span.key, bounds));
                }
                None => given.push(Given(Op::Insert, span.key, bounds, new)),
            }
        }
        let after = self.groups.results(&groups)?;
        let mut columns = Vec::new();
        for (index, after) in after.iter().enumerate() {
            let both: Vec<&dyn Array> = before.get(index).into_iter().chain([after]).map(AsRef::as_ref).collect();
            columns.push(arrow::compute::concat(&both).map_err(|error| failed(&error))?);
        }
        let at = |places: &mut dyn Iterator<Item = usize>| {
            taken(&columns, &places.map(|place| place as u32).collect::<UInt32Array>())
        };
        let old = at(&mut pairs.iter().map(|(old, ..)| *old))?;
        let differs = differences(&old, &at(&mut pairs.iter().map(|(_, new, ..)| *new))?)?;
        let gone = noted.iter().enumerate().filter(|(place, _)| !is_paired[*place]);
        let mut all: Vec<Given> =
            gone.map(|(place, noted)| Given(Op::Delete, noted.key, noted.bounds, place)).collect();
        for (old, new, key, bounds) in
            pairs.into_iter().zip(differs).filter_map(|(pair, differs)| differs.then_some(pair))
        {
            all.push(Given(Op::UpdateBefore, key, bounds, old));
            all.push(Given(Op::UpdateAfter, key, bounds, new));
        }
        all.append(&mut given);
        let results = at(&mut all.iter().map(|given| given.3))?;
        self.write(&all, results, out)?;
        for session in std::mem::take(&mut self.gone) {
            self.release(session);
        }
        Ok(())
    }

    fn write(&self, rows: &[Given], results: Vec<ArrayRef>, out: &mut Output) -> Result<(), Fault> {
        let keys: Vec<u32> = rows.iter().map(|row| row.1).collect();
        let mut columns = self.keys.columns(&keys)?;
        let ends: Vec<i64> = rows.iter().map(|row| row.2.1.saturating_add(self.gap_ms)).collect();
        columns.push(Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.2.0))));
        columns.push(Arc::new(TimestampMillisecondArray::from(ends.clone())));
        columns.extend(results);
        let batch = batch_of(&self.schema, columns, rows.len())?;
        let has_changes = rows.iter().any(|row| row.0 != Op::Insert);
        let ops = has_changes.then(|| Int8Array::from_iter_values(rows.iter().map(|row| row.0 as i8)));
        out.give(Chunk { ops, ..Chunk::inserts(batch, ends.into_iter().map(|end| end - 1).collect()) });
        Ok(())
    }

    /// The results of sessions that are final.
    pub(super) fn give_final(&mut self, sessions: &[usize], out: &mut Output) -> Result<(), Fault> {
        let spans = sessions.iter().filter_map(|session| self.spans.get(*session));
        let there = spans.filter_map(|span| {
            let group = self.with_result(span)?;
            Some((Given(Op::Insert, span.key, (span.first, span.last), 0), group))
        });
        let (rows, groups): (Vec<Given>, Vec<u32>) = there.unzip();
        let results = self.groups.results(&groups)?;
        self.write(&rows, results, out)
    }
}
