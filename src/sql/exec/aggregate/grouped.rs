//! Groups with their aggregates: rows are applied, changes are collected, results are read. The operators around it decide
//! which groups there are and when results are given.

use arrow::array::{ArrayRef, BooleanArray, UInt32Array};
use arrow::compute;
use arrow::datatypes::DataType;

use super::keys::Keys;
use super::prepared::{Prepared, Recipe};
use super::refused::Refused;
use super::{GroupAccumulator, accumulator, failed};
use crate::connectors::contract::{BadRow, Op};
use crate::core::fault::Fault;
use crate::sql::plan::stream::Changes;

/// The time of a group that was given before it had a row: earlier than that of any row.
const BEFORE_ALL_ROWS: i64 = i64::MIN + 1;

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
    pub(super) keys: Keys,
    pub(super) calls: Vec<Box<dyn GroupAccumulator>>,
    /// Rows a group.
    pub(super) counts: Vec<i64>,
    /// Newest event time a group.
    pub(super) times: Vec<i64>,
    /// Numbers of the rows in hand.
    numbers: Vec<u32>,
    /// Rows that were refused, where rows are taken back.
    pub(super) refused: Option<Refused>,
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
            refused: (self.changes == Changes::Changelog).then(Refused::default),
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

    pub(super) fn grow(&mut self) {
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
        let (mut places, mut left_out) = (Vec::with_capacity(rows.rows), Vec::new());
        for row in 0..rows.rows {
            match trials.iter().find_map(|trial| trial.refusal(row)) {
                Some(message) => {
                    refused.push(BadRow { row: rows.place(row), class: "overflow", message });
                    left_out.push(row);
                }
                None => {
                    trials.iter_mut().for_each(|trial| trial.add(row));
                    places.push(row as u32);
                }
            }
        }
        if left_out.is_empty() {
            return Ok(None);
        }
        if let Some(remembered) = &mut self.refused {
            remembered.note(rows, groups, &left_out)?;
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
            is_new.push(!self.had_rows(group as u32));
            self.counts[group] += 1;
            self.times[group] = self.times[group].max(*time);
        }
        Ok(Followed { taken, before, after, is_new })
    }

    fn take_back(&mut self, rows: &Prepared, groups: &[u32]) -> Result<(), Fault> {
        let Some(refused) = self.refused.as_mut().filter(|refused| !refused.is_empty()) else {
            return self.take_away(rows, groups);
        };
        let there = refused.settle(rows, groups)?;
        if there.len() == groups.len() {
            return self.take_away(rows, groups);
        }
        let groups: Vec<u32> = there.iter().map(|row| groups[*row as usize]).collect();
        self.take_away(&rows.take(&UInt32Array::from(there))?, &groups)
    }

    fn take_away(&mut self, rows: &Prepared, groups: &[u32]) -> Result<(), Fault> {
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

    /// Whether a group has rows, or had some since it came: one without keys stays when the last is taken back.
    pub fn had_rows(&self, group: u32) -> bool {
        self.count(group) != 0 || self.time(group) != i64::MIN
    }

    /// A group without keys is given though it has no rows.
    pub fn is_there(&mut self, group: u32) {
        if let Some(time) = self.times.get_mut(group as usize) {
            *time = (*time).max(BEFORE_ALL_ROWS);
        }
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

    /// Forgets a group without rows, unless a row that was refused may still be taken back from it.
    pub fn remove_empty(&mut self, group: u32) {
        if self.refused.as_ref().is_none_or(|refused| !refused.holds(group)) {
            self.remove(group);
        }
    }

    /// Forgets a group.
    pub fn remove(&mut self, group: u32) {
        self.keys.remove(group);
        self.clear(group);
    }

    /// Empties a group, which keeps its number.
    pub fn clear(&mut self, group: u32) {
        if let Some(refused) = &mut self.refused {
            refused.clear(group);
        }
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
        let refused = self.refused.as_ref().map_or(0, Refused::size);
        self.keys.size() + calls + refused + (self.counts.capacity() + self.times.capacity()) * size_of::<i64>()
    }
}
