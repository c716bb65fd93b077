//! Groups as columns of a checkpoint and back, and groups that become parts of others.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Int64Type, Schema};

use super::failed;
use super::grouped::Grouped;
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::operator::StateTable;

/// Name of the column of rows that were refused.
const REFUSED: &str = "refused";

/// A state table of groups.
pub fn table(name: impl Into<String>, batch: RecordBatch, keys: usize) -> StateTable {
    StateTable { name: name.into(), batch, keys }
}

impl Grouped {
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
        if let Some(refused) = &self.refused {
            columns.push((REFUSED.to_owned(), refused.column(&groups)?));
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
        if let (Some(refused), Some(column)) = (&mut self.refused, table.column_by_name(REFUSED)) {
            refused.restore(column, &groups)?;
        }
        self.unspilled()?;
        Ok(groups)
    }

    /// Adds groups to others of these: `parts[i]` to `wholes[i]`. The parts stay until they are removed. Answers with the
    /// wholes that do not fit any more, and why: they hold no result.
    ///
    /// # Errors
    /// Arrow's or DataFusion's.
    pub fn unite(&mut self, parts: &[u32], wholes: &[u32]) -> Result<BTreeMap<u32, String>, Fault> {
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
        Ok(self.spilled())
    }

    /// Adds the groups of another: its keys, rows and states. Panes become a window so. What does not fit any more is told
    /// by [`Self::spilled`].
    ///
    /// # Errors
    /// Arrow's or DataFusion's.
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

    /// Groups of which a part was added that did not fit, and why: they hold no result.
    pub fn spilled(&mut self) -> BTreeMap<u32, String> {
        self.calls.iter_mut().flat_map(|call| call.spilled()).collect()
    }

    fn unspilled(&mut self) -> Result<(), Fault> {
        match self.spilled().pop_first() {
            None => Ok(()),
            Some((_, message)) => Err(Fault::new(Blame::Record, message)),
        }
    }
}
