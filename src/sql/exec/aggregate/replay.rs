//! Aggregates that cannot take a row back, over rows that go again: the rows themselves are kept, and read anew when a
//! result is asked for.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};
use datafusion_common::ScalarValue;
use datafusion_physical_expr::aggregate::AggregateFunctionExpr;
use indexmap::IndexMap;

use super::ordered::{each_of, multiset};
use super::per_group::parts;
use super::{GroupAccumulator, Rows, failed};
use crate::core::fault::Fault;

/// Bytes of a row beyond its own, in a map.
const ENTRY_BYTES: usize = 64;

/// The rows of each group, in order of arrival.
pub struct Replay {
    function: Arc<AggregateFunctionExpr>,
    encoding: RowConverter,
    held: Vec<IndexMap<Box<[u8]>, i64>>,
    bytes: usize,
}

impl Replay {
    /// No groups yet; `types` are those of the arguments and of what the aggregate orders by.
    ///
    /// # Errors
    /// An aggregate that has no accumulator.
    pub fn new(function: Arc<AggregateFunctionExpr>, types: Vec<DataType>) -> Result<Self, Fault> {
        function.create_accumulator().map_err(|error| failed(&error))?;
        let fields = types.into_iter().map(SortField::new).collect();
        let encoding = RowConverter::new(fields).map_err(|error| failed(&error))?;
        Ok(Self { function, encoding, held: Vec::new(), bytes: 0 })
    }

    fn add(&mut self, rows: &Rows<'_>, by: i64) -> Result<(), Fault> {
        for (group, values) in parts(rows)? {
            let encoded = self.encoding.convert_columns(&values).map_err(|error| failed(&error))?;
            for row in &encoded {
                self.put(group, row.as_ref(), by);
            }
        }
        Ok(())
    }

    fn put(&mut self, group: u32, row: &[u8], by: i64) {
        let held = &mut self.held[group as usize];
        match held.get_mut(row) {
            Some(count) => {
                *count += by;
                if *count == 0 {
                    held.shift_remove(row);
                    self.bytes -= row.len() + ENTRY_BYTES;
                }
            }
            None => {
                held.insert(row.into(), by);
                self.bytes += row.len() + ENTRY_BYTES;
            }
        }
    }

    fn result_of(&self, group: u32) -> Result<ScalarValue, Fault> {
        let mut fresh = self.function.create_accumulator().map_err(|error| failed(&error))?;
        let parser = self.encoding.parser();
        let rows: Vec<_> = self.held[group as usize]
            .iter()
            .filter(|(_, count)| **count > 0)
            .flat_map(|(row, count)| std::iter::repeat_n(parser.parse(row), *count as usize))
            .collect();
        let values: Vec<ArrayRef> = self.encoding.convert_rows(rows).map_err(|error| failed(&error))?;
        fresh.update_batch(&values).map_err(|error| failed(&error))?;
        fresh.evaluate().map_err(|error| failed(&error))
    }
}

impl GroupAccumulator for Replay {
    fn grow(&mut self, groups: usize) {
        self.held.resize_with(groups, IndexMap::new);
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.add(rows, 1)
    }

    fn retract(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.add(rows, -1)
    }

    fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault> {
        let results = groups.iter().map(|group| self.result_of(*group)).collect::<Result<Vec<_>, _>>()?;
        if results.is_empty() {
            return Ok(arrow::array::new_empty_array(self.function.field().data_type()));
        }
        let array = ScalarValue::iter_to_array(results).map_err(|error| failed(&error))?;
        arrow::compute::cast(&array, self.function.field().data_type()).map_err(|error| failed(&error))
    }

    fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        multiset(groups.iter().map(|group| self.held[*group as usize].iter().map(|(row, count)| (&**row, *count))))
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault> {
        each_of(states, groups, |group, row, count| self.put(group, row, count))
    }

    fn reads_anew(&self) -> bool {
        true
    }

    fn clear(&mut self, group: u32) {
        let held = std::mem::take(&mut self.held[group as usize]);
        self.bytes -= held.keys().map(|row| row.len() + ENTRY_BYTES).sum::<usize>();
    }

    fn size(&self) -> usize {
        self.held.capacity() * size_of::<IndexMap<Box<[u8]>, i64>>() + self.bytes
    }
}
