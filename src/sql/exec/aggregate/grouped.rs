//! Groups with their aggregates: rows are applied, changes are collected, results are read. The operators around it decide
//! which groups there are and when results are given.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::keys::Keys;
use super::prepared::{Prepared, Recipe};
use super::{GroupAccumulator, accumulator, failed};
use crate::connectors::contract::{BadRow, Op};
use crate::core::fault::Fault;
use crate::sql::exec::operator::StateTable;

/// What rows did to their groups, one by one.
pub struct Followed {
    /// The rows and their groups, where these are not all that came: some were refused.
    pub taken: Option<(Prepared, Vec<u32>)>,
    /// Results before each row, a column an aggregate.
    pub before: Vec<ArrayRef>,
    /// Results after each row.
    pub after: Vec<ArrayRef>,
    /// Whether the row was the first of its group.
    pub is_new: Vec<bool>,
}

/// Groups and what is known of each.
pub struct Grouped {
    keys: Keys,
    calls: Vec<Box<dyn GroupAccumulator>>,
    /// Rows a group.
    counts: Vec<i64>,
    /// Newest event time a group.
    times: Vec<i64>,
    /// Numbers of the rows in hand.
    numbers: Vec<u32>,
}

impl Recipe {
    /// No groups yet.
    ///
    /// # Errors
    /// An aggregate that cannot do this.
    pub fn groups(&self) -> Result<Grouped, Fault> {
        self.groups_by(&self.key_types)
    }

    /// No groups yet, by keys of other types than the node's: rows are [`Prepared::keyed_by`] those.
    ///
    /// # Errors
    /// An aggregate that cannot do this.
    pub fn groups_by(&self, key_types: &[DataType]) -> Result<Grouped, Fault> {
        let calls = self.node.calls.iter().map(|call| accumulator(call, self.changes, &self.input));
        Ok(Grouped {
            keys: Keys::new(key_types)?,
            calls: calls.collect::<Result<_, _>>()?,
            counts: Vec::new(),
            times: Vec::new(),
            numbers: Vec::new(),
        })
    }
}

impl Grouped {
    /// The group of each row; a new key gets one.
    ///
    /// # Errors
    /// Columns of other types.
    pub fn intern(&mut self, rows: &Prepared) -> Result<Vec<u32>, Fault> {
        let mut numbers = std::mem::take(&mut self.numbers);
        self.keys.intern(&rows.keys, rows.rows, &mut numbers)?;
        self.grow();
        Ok(numbers)
    }

    /// The groups of these keys; a new key gets one.
    ///
    /// # Errors
    /// Columns of other types.
    pub fn of_keys(&mut self, keys: &[ArrayRef], rows: usize) -> Result<Vec<u32>, Fault> {
        let mut groups = Vec::new();
        self.keys.intern(keys, rows, &mut groups)?;
        self.grow();
        Ok(groups)
    }

    /// Gives the buffer of [`Self::intern`] back.
    pub fn recycle(&mut self, numbers: Vec<u32>) {
        self.numbers = numbers;
    }

    fn grow(&mut self) {
        let groups = self.keys.capacity();
        if self.counts.len() < groups {
            self.counts.resize(groups, 0);
            self.times.resize(groups, i64::MIN);
            for call in &mut self.calls {
                call.grow(groups);
            }
        }
    }

    /// Applies rows whose groups are known. Rows that an aggregate refuses are named.
    ///
    /// # Errors
    /// What no row can be blamed for.
    pub fn apply(&mut self, rows: &Prepared, groups: &[u32], refused: &mut Vec<BadRow>) -> Result<(), Fault> {
        match &rows.ops {
            None => self.add(rows, groups, refused),
            Some(ops) => {
                let additions: BooleanArray = ops.values().iter().map(|op| Some(Op::of(*op).is_addition())).collect();
                for (mask, is_addition) in [(compute::not(&additions), false), (Ok(additions.clone()), true)] {
                    let mask = mask.map_err(|error| failed(&error))?;
                    if mask.true_count() == 0 {
                        continue;
                    }
                    let places: UInt32Array = (0..rows.rows as u32).filter(|row| mask.value(*row as usize)).collect();
                    let mut part = rows.take(&places)?;
                    part.ops = None;
                    let numbers: Vec<u32> = places.values().iter().map(|row| groups[*row as usize]).collect();
                    if is_addition {
                        self.add(&part, &numbers, refused)?;
                    } else {
                        self.take_back(&part, &numbers)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn add(&mut self, rows: &Prepared, groups: &[u32], refused: &mut Vec<BadRow>) -> Result<(), Fault> {
        let taken = self.taken(rows, groups, refused)?;
        let (rows, groups) = taken.as_ref().map_or((rows, groups), |(rows, groups)| (rows, groups));
        for (index, call) in self.calls.iter_mut().enumerate() {
            call.update(&rows.of_call(index, groups))?;
        }
        for (group, time) in groups.iter().zip(rows.times.values()) {
            let group = *group as usize;
            self.counts[group] += 1;
            self.times[group] = self.times[group].max(*time);
        }
        Ok(())
    }

    /// The rows that every aggregate takes, where these are not all: one that any of them refuses counts in none.
    fn taken(
        &mut self,
        rows: &Prepared,
        groups: &[u32],
        refused: &mut Vec<BadRow>,
    ) -> Result<Option<(Prepared, Vec<u32>)>, Fault> {
        let mut doubtful = Vec::new();
        for (index, call) in self.calls.iter_mut().enumerate() {
            let of_call = rows.of_call(index, groups);
            if call.may_refuse(&of_call)? {
                doubtful.push((&*call, of_call));
            }
        }
        if doubtful.is_empty() {
            return Ok(None);
        }
        let trials = doubtful.iter().map(|(call, of_call)| call.trial(of_call));
        let mut trials = trials.collect::<Result<Vec<_>, _>>()?;
        let mut places = Vec::with_capacity(rows.rows);
        for row in 0..rows.rows {
            match trials.iter().find_map(|trial| trial.refusal(row)) {
                Some(message) => refused.push(BadRow { row: rows.place(row), class: "overflow", message }),
                None => {
                    trials.iter_mut().for_each(|trial| trial.add(row));
                    places.push(row as u32);
                }
            }
        }
        if places.len() == rows.rows {
            return Ok(None);
        }
        let groups = places.iter().map(|row| groups[*row as usize]).collect();
        Ok(Some((rows.take(&UInt32Array::from(places))?, groups)))
    }

    /// Adds rows that only come, one by one. Answers for each row with the results of its group before it and after it,
    /// and whether the group was new.
    ///
    /// # Errors
    /// What no row can be blamed for.
    pub fn follow(&mut self, rows: &Prepared, groups: &[u32], refused: &mut Vec<BadRow>) -> Result<Followed, Fault> {
        let taken = self.taken(rows, groups, refused)?;
        let (rows, groups) = taken.as_ref().map_or((rows, groups), |(rows, groups)| (rows, groups));
        let (mut before, mut after, mut is_new) = (Vec::new(), Vec::new(), Vec::with_capacity(groups.len()));
        for (index, call) in self.calls.iter_mut().enumerate() {
            let results = call.follow(&rows.of_call(index, groups))?;
            before.push(results.0);
            after.push(results.1);
        }
        for (group, time) in groups.iter().zip(rows.times.values()) {
            let group = *group as usize;
            is_new.push(self.counts[group] == 0);
            self.counts[group] += 1;
            self.times[group] = self.times[group].max(*time);
        }
        Ok(Followed { taken, before, after, is_new })
    }

    fn take_back(&mut self, rows: &Prepared, groups: &[u32]) -> Result<(), Fault> {
        for (index, call) in self.calls.iter_mut().enumerate() {
            call.retract(&rows.of_call(index, groups))?;
        }
        for (group, time) in groups.iter().zip(rows.times.values()) {
            let group = *group as usize;
            self.counts[group] -= 1;
            self.times[group] = self.times[group].max(*time);
        }
        Ok(())
    }

    /// Rows in a group.
    pub fn count(&self, group: u32) -> i64 {
        self.counts.get(group as usize).copied().unwrap_or(0)
    }

    /// Newest event time of a group.
    pub fn time(&self, group: u32) -> i64 {
        self.times.get(group as usize).copied().unwrap_or(i64::MIN)
    }

    /// The key columns of groups.
    ///
    /// # Errors
    /// Arrow's, which are defects.
    pub fn key_columns(&self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        self.keys.columns(groups)
    }

    /// The results of groups, one column an aggregate.
    ///
    /// # Errors
    /// A result that does not fit its type.
    pub fn results(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        self.calls.iter_mut().map(|call| call.evaluate(groups)).collect()
    }

    /// Forgets a group.
    pub fn remove(&mut self, group: u32) {
        self.keys.remove(group);
        for call in &mut self.calls {
            call.clear(group);
        }
        if let Some(count) = self.counts.get_mut(group as usize) {
            *count = 0;
            self.times[group as usize] = i64::MIN;
        }
    }

    /// Groups there are, in order of arrival.
    pub fn all(&self) -> Vec<u32> {
        self.keys.all()
    }

    /// The one group of a grouping without keys, made if there was no row yet.
    pub fn single(&mut self) -> Option<u32> {
        let single = self.keys.single();
        self.grow();
        single
    }

    /// Numbers given so far.
    pub fn capacity(&self) -> usize {
        self.keys.capacity()
    }

    /// How many groups.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        let calls: usize = self.calls.iter().map(|call| call.size()).sum();
        self.keys.size() + calls + (self.counts.capacity() + self.times.capacity()) * size_of::<i64>()
    }

    /// Everything, as a table: keys, `between` (columns that the operator adds), rows, time, states of the aggregates.
    ///
    /// # Errors
    /// Arrow's or DataFusion's.
    pub fn snapshot(
        &mut self,
        between: impl Fn(&Self, &[u32]) -> Vec<(String, ArrayRef)>,
    ) -> Result<RecordBatch, Fault> {
        let groups = self.keys.all();
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        for (index, column) in self.keys.columns(&groups)?.into_iter().enumerate() {
            columns.push((format!("key_{index}"), column));
        }
        columns.extend(between(self, &groups));
        let counts: Int64Array = groups.iter().map(|group| self.count(*group)).collect();
        let times: Int64Array = groups.iter().map(|group| self.time(*group)).collect();
        columns.push(("rows".to_owned(), Arc::new(counts)));
        columns.push(("time".to_owned(), Arc::new(times)));
        for (index, call) in self.calls.iter_mut().enumerate() {
            for (part, column) in call.state(&groups)?.into_iter().enumerate() {
                columns.push((format!("call_{index}_{part}"), column));
            }
        }
        let fields: Vec<Field> =
            columns.iter().map(|(name, column)| Field::new(name, column.data_type().clone(), true)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(groups.len()));
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .map_err(|error| failed(&error))
    }

    /// Adds what [`Self::snapshot`] wrote, with `between` columns between keys and rows.
    ///
    /// # Errors
    /// A table that is not of these groups.
    pub fn restore(&mut self, table: &RecordBatch, keys: usize, between: usize) -> Result<Vec<u32>, Fault> {
        let wrong = || failed(&"its checkpoint has other columns");
        let key_columns = table.columns().get(..keys).ok_or_else(wrong)?;
        let groups = self.of_keys(key_columns, table.num_rows())?;
        let whole = |index: usize| {
            table
                .columns()
                .get(keys + between + index)
                .and_then(|column| column.as_primitive_opt::<Int64Type>())
                .ok_or_else(wrong)
        };
        let (counts, times) = (whole(0)?, whole(1)?);
        for (row, group) in groups.iter().enumerate() {
            let group = *group as usize;
            self.counts[group] += counts.value(row);
            self.times[group] = self.times[group].max(times.value(row));
        }
        for (index, call) in self.calls.iter_mut().enumerate() {
            let prefix = format!("call_{index}_");
            let states: Vec<ArrayRef> = table
                .schema()
                .fields()
                .iter()
                .zip(table.columns())
                .filter(|(field, _)| field.name().starts_with(&prefix))
                .map(|(_, column)| Arc::clone(column))
                .collect();
            call.merge(&states, &groups)?;
        }
        Ok(groups)
    }

    /// Adds groups to others of these: `parts[i]` to `wholes[i]`. The parts stay until they are removed.
    ///
    /// # Errors
    /// A sum that does not fit any more.
    pub fn unite(&mut self, parts: &[u32], wholes: &[u32]) -> Result<(), Fault> {
        for (part, whole) in parts.iter().zip(wholes) {
            let (rows, time) = (self.count(*part), self.time(*part));
            let whole = *whole as usize;
            self.counts[whole] += rows;
            self.times[whole] = self.times[whole].max(time);
        }
        for call in &mut self.calls {
            let states = call.state(parts)?;
            call.merge(&states, wholes)?;
        }
        Ok(())
    }

    /// Adds the groups of another: its keys, rows and states. Panes become a window so.
    ///
    /// # Errors
    /// A sum that does not fit any more.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), Fault> {
        let from = other.keys.all();
        let keys = other.keys.columns(&from)?;
        let into = self.of_keys(&keys, from.len())?;
        for (from, into) in from.iter().zip(&into) {
            let into = *into as usize;
            self.counts[into] += other.count(*from);
            self.times[into] = self.times[into].max(other.time(*from));
        }
        for (call, other) in self.calls.iter_mut().zip(&mut other.calls) {
            call.merge(&other.state(&from)?, &into)?;
        }
        Ok(())
    }
}

/// A state table of groups.
pub fn table(name: impl Into<String>, batch: RecordBatch, keys: usize) -> StateTable {
    StateTable { name: name.into(), batch, keys }
}
