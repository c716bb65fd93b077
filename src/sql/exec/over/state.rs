//! Partitions as tables of a checkpoint and back: the rows, how far numbering has come, running aggregates, the time.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, Int64Array, UInt64Array};

use super::Over;
use super::partition::{Partition, Place};
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::columns::{column, decoded, earliest, table};
use crate::sql::exec::map::batch_of;
use crate::sql::exec::operator::{Output, StateTable};

/// A row has its answer and is kept for the frames of others.
const ANSWERED: i64 = 0;
/// A row stands in line.
const IN_LINE: i64 = 1;
/// Rows may come before it.
const HELD: i64 = 2;

impl Over {
    /// Everything, as tables.
    pub(super) fn tables(&mut self) -> Result<Vec<StateTable>, Fault> {
        let (mut numbers, mut rows, mut times, mut phases) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (number, partition) in self.partitions.iter().enumerate() {
            let lined_up = partition.rows.iter().enumerate();
            let lined_up = lined_up.map(|(at, row)| (row, if at < partition.answered { ANSWERED } else { IN_LINE }));
            for (row, phase) in lined_up.chain(partition.held.iter().map(|row| (row, HELD))) {
                numbers.push(number as u32);
                rows.push(row.row.as_ref());
                times.push(row.time);
                phases.push(phase);
            }
        }
        let mut columns = self.running.keys(&numbers)?;
        let keys = columns.len();
        columns.extend(decoded(&self.rows, rows, &self.input)?);
        columns.push(Arc::new(Int64Array::from(times)));
        columns.push(Arc::new(Int64Array::from(phases)));
        let live = self.running.all();
        let mut places = self.running.keys(&live)?;
        let count = |of: fn(&Place) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(
                live.iter().map(|number| of(&self.partitions[*number as usize].place)),
            ))
        };
        places.extend([count(|place| place.number), count(|place| place.rank), count(|place| place.dense)]);
        let last = live.iter().map(|number| self.partitions[*number as usize].place.last.as_deref());
        places.push(Arc::new(last.collect::<BinaryArray>()));
        let time = Arc::new(Int64Array::from(vec![self.watermark])) as ArrayRef;
        Ok(vec![
            self.running.table()?,
            table("rows", columns, keys)?,
            table("places", places, keys)?,
            table("time", vec![time], 0)?,
        ])
    }

    /// Adds what [`Self::tables`] wrote.
    pub(super) fn take(&mut self, tables: &[StateTable]) -> Result<(), Fault> {
        let width = self.partition.len();
        self.watermark = earliest(tables)?;
        self.running.take(tables)?;
        for table in tables.iter().filter(|table| table.name == "rows") {
            let columns = &table.batch.columns()[width..];
            let (head, tail) = columns.split_at(columns.len() - 2);
            let (times, phases) = (column::<Int64Array>(tail, 0)?, column::<Int64Array>(tail, 1)?);
            let batch = batch_of(&self.input, head.to_vec(), times.len())?;
            let chunk = Chunk::inserts(batch, times.values().clone());
            let (chunk, partition, order) = self.values(chunk, &mut Output::default())?;
            let due = self.due(&chunk)?;
            for (at, (number, row)) in self.encoded(&chunk, &partition, &order)?.into_iter().enumerate() {
                match phases.value(at) {
                    HELD => {
                        self.hold(number, row, due[at]);
                        continue;
                    }
                    IN_LINE => {
                        *self.waiting.entry(row.time).or_default() += 1;
                        self.schedule(number, row.time.saturating_add(self.need.ms_after));
                    }
                    _ => self.partitions[number].answered += 1,
                }
                self.bytes += row.bytes();
                self.count += 1;
                let expires = self.silence_ms.map(|silence_ms| row.time.saturating_add(silence_ms));
                self.partitions[number].rows.push(row);
                if let Some(expires) = expires {
                    self.schedule(number, expires);
                }
            }
        }
        for table in tables.iter().filter(|table| table.name == "places") {
            let (keys, places) = table.batch.columns().split_at(width);
            let numbers = self.running.of_keys(keys, table.batch.num_rows())?;
            self.partitions.resize_with(self.running.capacity(), Partition::default);
            let at = |index: usize| column::<UInt64Array>(places, index);
            let (number, rank, dense) = (at(0)?, at(1)?, at(2)?);
            let last = column::<BinaryArray>(places, 3)?;
            for (row, partition) in numbers.into_iter().enumerate() {
                let last = last.is_valid(row).then(|| last.value(row).into());
                let place = Place { number: number.value(row), rank: rank.value(row), dense: dense.value(row), last };
                self.partitions[partition as usize].place = place;
            }
        }
        Ok(())
    }
}
