//! COUNT: rows, or values that are not NULL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::Int64Type;

use super::{GroupAccumulator, Rows, failed};
use crate::core::fault::Fault;

/// Counts of groups.
pub struct Count {
    counts: Vec<i64>,
}

impl Count {
    /// No groups yet.
    pub fn new() -> Self {
        Self { counts: Vec::new() }
    }

    fn add(&mut self, rows: &Rows<'_>, by: i64) {
        let nulls =
            rows.values.first().and_then(|values| values.logical_nulls()).filter(|nulls| nulls.null_count() > 0);
        if nulls.is_none() && rows.filter.is_none() {
            for group in rows.groups {
                self.counts[*group as usize] += by;
            }
            return;
        }
        for (row, group) in rows.groups.iter().enumerate() {
            if rows.counts(row) && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                self.counts[*group as usize] += by;
            }
        }
    }
}

impl GroupAccumulator for Count {
    fn grow(&mut self, groups: usize) {
        self.counts.resize(groups, 0);
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.add(rows, 1);
        Ok(())
    }

    fn follow(&mut self, rows: &Rows<'_>) -> Result<(ArrayRef, ArrayRef), Fault> {
        let nulls = rows.values.first().and_then(|values| values.logical_nulls());
        let (mut before, mut after) = (Vec::with_capacity(rows.groups.len()), Vec::with_capacity(rows.groups.len()));
        for (row, group) in rows.groups.iter().enumerate() {
            let count = &mut self.counts[*group as usize];
            before.push(*count);
            *count += i64::from(rows.counts(row) && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)));
            after.push(*count);
        }
        Ok((Arc::new(Int64Array::from(before)), Arc::new(Int64Array::from(after))))
    }

    fn retract(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.add(rows, -1);
        Ok(())
    }

    fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault> {
        Ok(Arc::new(groups.iter().map(|group| self.counts[*group as usize]).collect::<Int64Array>()))
    }

    fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        Ok(vec![self.evaluate(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault> {
        let counts = states.first().and_then(|state| state.as_primitive_opt::<Int64Type>());
        let counts = counts.ok_or_else(|| failed(&"its state is no count"))?;
        for (group, count) in groups.iter().zip(counts.values()) {
            self.counts[*group as usize] += count;
        }
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.counts[group as usize] = 0;
    }

    fn size(&self) -> usize {
        self.counts.capacity() * size_of::<i64>()
    }
}
