//! What changed in groups since results were given last: the old results are kept until the new ones are asked for.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int8Array, RecordBatch, UInt32Array};
use arrow::compute;
use arrow::datatypes::SchemaRef;

use super::failed;
use super::grouped::{Followed, Grouped};
use super::prepared::Prepared;
use crate::connectors::contract::{BadRow, Op};
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::columns::column;

/// Groups that changed, with what was given for them before.
#[derive(Default)]
pub struct Touched {
    groups: Vec<u32>,
    is_touched: Vec<bool>,
    /// Results as they were, in the order of `groups`, in parts as they were touched.
    before: Vec<Vec<ArrayRef>>,
    /// Whether anything was given for a group before.
    was_there: Vec<bool>,
}

impl Touched {
    /// Notes groups whose rows will change now. Must be called before the change.
    ///
    /// # Errors
    /// A result that does not fit its type.
    pub fn note(&mut self, grouped: &mut Grouped, groups: &[u32]) -> Result<(), Fault> {
        let from = self.groups.len();
        for group in groups {
            let place = *group as usize;
            if self.is_touched.len() <= place {
                self.is_touched.resize(place + 1, false);
            }
            if !self.is_touched[place] {
                self.is_touched[place] = true;
                self.groups.push(*group);
                self.was_there.push(grouped.had_rows(*group));
            }
        }
        if from < self.groups.len() {
            self.before.push(grouped.results(&self.groups[from..])?);
        }
        Ok(())
    }

    /// Whether the change of a group is still to be given.
    pub fn holds(&self, group: u32) -> bool {
        self.is_touched.get(group as usize).is_some_and(|is_touched| *is_touched)
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// What is not given yet, as columns of a checkpoint: keys, `between`, whether anything was given before, results as
    /// they were given; none where nothing changed.
    ///
    /// # Errors
    /// Arrow's, which are defects.
    pub fn columns(
        &self,
        grouped: &Grouped,
        between: impl Fn(usize) -> Vec<ArrayRef>,
    ) -> Result<Option<Vec<ArrayRef>>, Fault> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut columns = grouped.key_columns(&self.groups)?;
        columns.extend(between(self.groups.len()));
        columns.push(Arc::new(BooleanArray::from(self.was_there.clone())));
        columns.extend(joined(&self.before)?);
        Ok(Some(columns))
    }

    /// Notes again what [`Self::columns`] wrote, once the groups themselves are back.
    ///
    /// # Errors
    /// Columns that are not of these groups.
    pub fn restore(
        &mut self,
        grouped: &mut Grouped,
        columns: &[ArrayRef],
        keys: usize,
        between: usize,
    ) -> Result<(), Fault> {
        let was_there = column::<BooleanArray>(columns, keys + between)?;
        self.groups.extend(grouped.of_keys(&columns[..keys], was_there.len())?);
        for group in &self.groups {
            let place = *group as usize;
            if self.is_touched.len() <= place {
                self.is_touched.resize(place + 1, false);
            }
            self.is_touched[place] = true;
        }
        self.was_there.extend(was_there.values().iter());
        self.before.push(columns[keys + between + 1..].to_vec());
        Ok(())
    }

    /// The changes: new groups are inserted, gone ones deleted (and forgotten), changed ones replaced. `extra` gives the
    /// columns between keys and results; `time` the event time of a group's rows.
    ///
    /// # Errors
    /// A result that does not fit its type.
    pub fn give(
        &mut self,
        grouped: &mut Grouped,
        schema: &SchemaRef,
        extra: impl Fn(usize) -> Vec<ArrayRef>,
        time: impl Fn(&Grouped, u32) -> i64,
        keeps_empty: bool,
    ) -> Result<Option<Chunk>, Fault> {
        if self.groups.is_empty() {
            return Ok(None);
        }
        let touched = std::mem::take(self);
        let after = grouped.results(&touched.groups)?;
        let before = joined(&touched.before)?;
        let keys = grouped.key_columns(&touched.groups)?;
        let total = touched.groups.len() as u32;
        let differs = differences(&before, &after)?;
        // Old results stand at 0..total, new ones behind them.
        let (mut places, mut ops) = (Vec::new(), Vec::new());
        for (index, group) in touched.groups.iter().enumerate() {
            let (old, new) = (index as u32, total + index as u32);
            let is_there = keeps_empty || grouped.count(*group) > 0;
            match (touched.was_there[index], is_there) {
                (false, true) => {
                    places.push(new);
                    ops.push(Op::Insert as i8);
                }
                (true, false) => {
                    places.push(old);
                    ops.push(Op::Delete as i8);
                }
                // Groups without aggregates, as DISTINCT makes them, have nothing that differs.
                (true, true) if differs.get(index).copied().unwrap_or(false) => {
                    places.extend([old, new]);
                    ops.extend([Op::UpdateBefore as i8, Op::UpdateAfter as i8]);
                }
                _ => {}
            }
        }
        let times: Vec<i64> =
            places.iter().map(|place| time(grouped, touched.groups[(place % total) as usize])).collect();
        if !keeps_empty {
            for group in &touched.groups {
                if grouped.count(*group) <= 0 {
                    grouped.remove_empty(*group);
                }
            }
        }
        if places.is_empty() {
            return Ok(None);
        }
        let of_group: UInt32Array = places.iter().map(|place| place % total).collect();
        let places = UInt32Array::from(places);
        let pick =
            |array: &ArrayRef, places: &UInt32Array| compute::take(array, places, None).map_err(|error| failed(&error));
        let mut columns = keys.iter().map(|keys| pick(keys, &of_group)).collect::<Result<Vec<_>, _>>()?;
        columns.extend(extra(places.len()));
        for (before, after) in before.iter().zip(&after) {
            let both = compute::concat(&[before.as_ref(), after.as_ref()]).map_err(|error| failed(&error))?;
            columns.push(pick(&both, &places)?);
        }
        let batch = RecordBatch::try_new(Arc::clone(schema), columns).map_err(|error| failed(&error))?;
        Ok(Some(Chunk { batch, times: times.into(), ops: Some(Int8Array::from(ops)), origins: None }))
    }
}

/// Adds rows that only come, and gives the change that each of them makes, in their order. `extra` gives the columns
/// between keys and results; `time` the event time of a group's rows.
///
/// # Errors
/// What no row can be blamed for.
pub fn follow(
    grouped: &mut Grouped,
    rows: &Prepared,
    groups: &[u32],
    schema: &SchemaRef,
    extra: impl Fn(usize) -> Vec<ArrayRef>,
    time: impl Fn(&Grouped, u32) -> i64,
    refused: &mut Vec<BadRow>,
) -> Result<Option<Chunk>, Fault> {
    let Followed { taken, before, after, is_new } = grouped.follow(rows, groups, refused)?;
    let (rows, groups) = taken.as_ref().map_or((rows, groups), |(rows, groups)| (rows, groups));
    let differs = differences(&before, &after)?;
    let total = groups.len() as u32;
    // Old results stand at 0..total, new ones behind them.
    let (mut places, mut ops) = (Vec::with_capacity(groups.len() * 2), Vec::with_capacity(groups.len() * 2));
    for (row, is_new) in is_new.iter().enumerate() {
        let (old, new) = (row as u32, total + row as u32);
        if *is_new {
            places.push(new);
            ops.push(Op::Insert as i8);
        } else if differs.get(row).is_some_and(|differs| *differs) {
            places.extend([old, new]);
            ops.extend([Op::UpdateBefore as i8, Op::UpdateAfter as i8]);
        }
    }
    if places.is_empty() {
        return Ok(None);
    }
    let of_row: UInt32Array = places.iter().map(|place| place % total).collect();
    let times: Vec<i64> = of_row.values().iter().map(|row| time(grouped, groups[*row as usize])).collect();
    let places = UInt32Array::from(places);
    let pick =
        |array: &ArrayRef, places: &UInt32Array| compute::take(array, places, None).map_err(|error| failed(&error));
    let mut columns = rows.keys().iter().map(|keys| pick(keys, &of_row)).collect::<Result<Vec<_>, _>>()?;
    columns.extend(extra(places.len()));
    for (before, after) in before.iter().zip(&after) {
        let both = compute::concat(&[before.as_ref(), after.as_ref()]).map_err(|error| failed(&error))?;
        columns.push(pick(&both, &places)?);
    }
    let batch = RecordBatch::try_new(Arc::clone(schema), columns).map_err(|error| failed(&error))?;
    // Results that only ever come need no ops: every sink takes them.
    let ops = ops.iter().any(|op| *op != Op::Insert as i8).then(|| Int8Array::from(ops));
    Ok(Some(Chunk { batch, times: times.into(), ops, origins: None }))
}

/// Rows of these groups in rounds in which no group comes twice.
pub fn rounds(groups: &[u32]) -> Vec<Vec<u32>> {
    let mut rounds: Vec<Vec<u32>> = Vec::new();
    let mut seen = vec![0_usize; groups.iter().copied().max().map_or(0, |most| most as usize + 1)];
    for (row, group) in groups.iter().enumerate() {
        let round = &mut seen[*group as usize];
        if rounds.len() <= *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push(row as u32);
        *round += 1;
    }
    rounds
}

/// Columns that were kept in parts, as one.
///
/// # Errors
/// Arrow's, which are defects.
pub fn joined(parts: &[Vec<ArrayRef>]) -> Result<Vec<ArrayRef>, Fault> {
    let columns = parts.first().map_or(0, Vec::len);
    (0..columns)
        .map(|column| {
            let arrays: Vec<_> = parts.iter().map(|part| part[column].as_ref()).collect();
            compute::concat(&arrays).map_err(|error| failed(&error))
        })
        .collect()
}

/// Which rows differ in any column.
///
/// # Errors
/// None, for a column without a comparison is taken to differ.
pub fn differences(before: &[ArrayRef], after: &[ArrayRef]) -> Result<Vec<bool>, Fault> {
    let rows = before.first().map_or(0, |column| column.len());
    let mut differs = vec![false; rows];
    for (before, after) in before.iter().zip(after) {
        if let Ok(distinct) = compute::kernels::cmp::distinct(before, after) {
            for (row, differs) in differs.iter_mut().enumerate() {
                *differs |= distinct.value(row);
            }
        } else {
            // Lists and structs have no kernel for it: they are taken to differ.
            differs.fill(true);
        }
    }
    Ok(differs)
}
