//! Windows as tables of a checkpoint and back: how far time has come, the groups of each window, and what changed in them
//! since results were given.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow::compute;

use super::aggregate::WindowAggregate;
use super::assign::Bounds;
use crate::core::fault::Fault;
use crate::sql::exec::aggregate::failed;
use crate::sql::exec::columns::{column, table};
use crate::sql::exec::group_aggregate::WAITING;
use crate::sql::exec::operator::StateTable;

/// Name of the state table that holds the watermark.
const WATERMARK: &str = "watermark";
/// Name of the state table that holds the groups.
const WINDOWS: &str = "windows";
/// Columns between the keys and the state of a group: its window's start and end, whether it is closed.
const BETWEEN: usize = 3;

impl WindowAggregate {
    /// Everything, as tables.
    pub(super) fn tables(&mut self) -> Result<Vec<StateTable>, Fault> {
        let keys = self.recipe.keys();
        let (mut windows, mut waiting) = (Vec::new(), Vec::new());
        for (window, bin) in &mut self.bins {
            let is_closed = i64::from(bin.is_closed);
            let between = |rows: usize| -> Vec<ArrayRef> {
                let whole = |value: i64| Arc::new(Int64Array::from_value(value, rows)) as ArrayRef;
                vec![whole(window.start), whole(window.end), whole(is_closed)]
            };
            let named = |_: &_, groups: &[u32]| {
                let names = ["start", "end", "closed"].map(str::to_owned);
                names.into_iter().zip(between(groups.len())).collect()
            };
            let groups = bin.groups.snapshot(named)?;
            if groups.num_rows() > 0 {
                windows.push(groups);
            }
            if let Some(columns) = bin.touched.columns(&bin.groups, between)? {
                waiting.push(table(WAITING, columns, keys)?);
            }
        }
        // What has been given for good is told apart from what has not by the watermark.
        let watermark = Arc::new(Int64Array::from(vec![self.arrivals.watermark])) as ArrayRef;
        let mut tables = vec![table(WATERMARK, vec![watermark], 0)?];
        for (name, batches) in
            [(WINDOWS, windows), (WAITING, waiting.into_iter().map(|table| table.batch).collect::<Vec<_>>())]
        {
            if let Some(first) = batches.first() {
                let batch = compute::concat_batches(&first.schema(), &batches).map_err(|error| failed(&error))?;
                tables.push(StateTable { name: name.to_owned(), batch, keys });
            }
        }
        Ok(tables)
    }

    /// Adds what [`Self::tables`] wrote.
    pub(super) fn take(&mut self, tables: &[StateTable]) -> Result<(), Fault> {
        let keys = self.recipe.keys();
        let named = |name: &'static str| tables.iter().filter(move |table| table.name == name);
        for table in named(WATERMARK) {
            let marks = column::<Int64Array>(table.batch.columns(), 0)?;
            // The end of all input is no time to go on from.
            let marks = marks.values().iter().copied().filter(|mark| *mark < i64::MAX);
            self.arrivals.watermark = marks.fold(self.arrivals.watermark, i64::max);
        }
        for table in named(WINDOWS) {
            for (window, is_closed, part) in by_window(&table.batch, keys)? {
                let bin = self.bin(window)?;
                bin.is_closed = is_closed;
                bin.groups.restore(&part, keys, BETWEEN)?;
            }
        }
        for table in named(WAITING) {
            for (window, _, part) in by_window(&table.batch, keys)? {
                let bin = self.bin(window)?;
                bin.touched.restore(&mut bin.groups, part.columns(), keys, BETWEEN)?;
            }
        }
        Ok(())
    }
}

/// The rows of each window of a table, and whether it is closed.
fn by_window(batch: &RecordBatch, keys: usize) -> Result<Vec<(Bounds, bool, RecordBatch)>, Fault> {
    let at = |index: usize| column::<Int64Array>(batch.columns(), keys + index);
    let (starts, ends, closed) = (at(0)?, at(1)?, at(2)?);
    let mut rows: BTreeMap<(Bounds, bool), Vec<u32>> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let window = Bounds { end: ends.value(row), start: starts.value(row) };
        rows.entry((window, closed.value(row) != 0)).or_default().push(row as u32);
    }
    rows.into_iter()
        .map(|((window, is_closed), places)| {
            let part = compute::take_record_batch(batch, &UInt32Array::from(places)).map_err(|error| failed(&error))?;
            Ok((window, is_closed, part))
        })
        .collect()
}
