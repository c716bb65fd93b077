//! Window functions over partitions, in order of event time: rows wait until the watermark has passed their time, so that
//! the result is that of sorted input. Of what was answered only as much is kept as frames reach back.

mod need;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, UInt64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{RowConverter, SortField};

use self::need::Need;
use super::aggregate::keys::Keys;
use super::chunk::Chunk;
use super::columns::{column, computed, decoded, defect, earliest, table};
use super::evaluate::arrow_fault;
use super::map::{batch_of, keep};
use super::operator::{Operator, Output, StateTable};
use crate::core::fault::{Blame, Fault};
use crate::sql::plan::stream::{Expression, OverCall, OverNode};

/// Bytes that a row costs beside its own: two boxes, a time, its place in lists.
const ENTRY_BYTES: usize = 64;

/// The operator of a node over rows of `input` that gives rows of `schema`.
///
/// # Errors
/// A type that has no order.
pub fn build(node: &OverNode, input: &SchemaRef, schema: &SchemaRef) -> Result<Box<dyn Operator>, Fault> {
    let partition = node.partition.clone();
    let types = partition.iter().map(|key| key.data_type(input)).collect::<Result<Vec<_>, _>>().map_err(defect)?;
    let order: Vec<Expression> = node.order.iter().map(|key| Arc::clone(&key.expression)).collect();
    let order_types = order.iter().map(|key| key.data_type(input)).collect::<Result<Vec<_>, _>>().map_err(defect)?;
    let by_time = matches!(order_types.first(), Some(DataType::Timestamp(..))) && !node.order[0].descending;
    // Without an end no order but that of time can be waited for.
    let is_ordered = node.is_bounded || by_time;
    let by = order_types.into_iter().zip(&node.order).map(|(of, key)| {
        let options = SortOptions { descending: key.descending, nulls_first: key.nulls_first };
        SortField::new_with_options(of, options)
    });
    let by = if is_ordered && !order.is_empty() { by.collect() } else { vec![SortField::new(DataType::Int64)] };
    let rows = input.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
    Ok(Box::new(Over {
        order: if is_ordered { order } else { Vec::new() },
        keys: Keys::new(&types)?,
        orders: RowConverter::new(by).map_err(defect)?,
        rows: RowConverter::new(rows).map_err(defect)?,
        need: Need::of(node)?,
        calls: node.calls.clone(),
        partition,
        input: Arc::clone(input),
        schema: Arc::clone(schema),
        partitions: Vec::new(),
        agenda: BTreeSet::new(),
        waiting: BTreeMap::new(),
        watermark: i64::MIN,
        bytes: 0,
        count: 0,
    }))
}

struct Over {
    partition: Vec<Expression>,
    /// What rows are sorted by; event time where empty.
    order: Vec<Expression>,
    calls: Vec<OverCall>,
    need: Need,
    input: SchemaRef,
    schema: SchemaRef,
    keys: Keys,
    orders: RowConverter,
    rows: RowConverter,
    partitions: Vec<Partition>,
    /// Partitions by the watermark that has to be passed before there is something to do.
    agenda: BTreeSet<(i64, usize)>,
    /// Times of rows that have no answer yet, and how many.
    waiting: BTreeMap<i64, usize>,
    watermark: i64,
    bytes: usize,
    count: usize,
}

#[derive(Default)]
struct Partition {
    /// Rows that the watermark has passed, in order; the first `answered` are only kept for the frames of others.
    rows: Vec<Row>,
    answered: usize,
    /// Rows that earlier ones may still come before.
    held: Vec<Row>,
    place: Place,
    /// Where it stands in the agenda.
    due: Option<i64>,
}

struct Row {
    order: Box<[u8]>,
    row: Box<[u8]>,
    time: i64,
}

impl Row {
    fn bytes(&self) -> usize {
        self.order.len() + self.row.len() + ENTRY_BYTES
    }
}

/// How far the numbering of a partition has come.
#[derive(Debug, Clone, Default)]
struct Place {
    number: u64,
    rank: u64,
    dense: u64,
    last: Option<Box<[u8]>>,
}

impl Place {
    fn step(&mut self, order: &[u8]) {
        self.number += 1;
        if self.last.as_deref() != Some(order) {
            self.rank = self.number;
            self.dense += 1;
            self.last = Some(order.into());
        }
    }
}

impl Over {
    fn values(&self, chunk: Chunk, out: &mut Output) -> Result<(Chunk, Vec<ArrayRef>, Vec<ArrayRef>), Fault> {
        let (chunk, partition, mut order) = computed(chunk, &self.partition, &self.order, "over", out)?;
        if order.is_empty() {
            order.push(Arc::new(chunk.times_array()));
        }
        Ok((chunk, partition, order))
    }

    fn encoded(
        &mut self,
        chunk: &Chunk,
        partition: &[ArrayRef],
        order: &[ArrayRef],
    ) -> Result<Vec<(usize, Row)>, Fault> {
        let mut partitions = Vec::new();
        self.keys.intern(partition, chunk.rows(), &mut partitions)?;
        self.partitions.resize_with(self.keys.capacity(), Partition::default);
        let orders = self.orders.convert_columns(order).map_err(arrow_fault)?;
        let rows = self.rows.convert_columns(chunk.batch.columns()).map_err(arrow_fault)?;
        let row = |row: usize| Row {
            order: orders.row(row).data().into(),
            row: rows.row(row).data().into(),
            time: chunk.times[row],
        };
        Ok(partitions.into_iter().enumerate().map(|(at, partition)| (partition as usize, row(at))).collect())
    }

    fn hold(&mut self, partition: usize, row: Row) {
        self.bytes += row.bytes();
        self.count += 1;
        *self.waiting.entry(row.time).or_default() += 1;
        self.schedule(partition, row.time);
        self.partitions[partition].held.push(row);
    }

    fn schedule(&mut self, partition: usize, time: i64) {
        let due = &mut self.partitions[partition].due;
        if due.is_none_or(|due| time < due) {
            if let Some(due) = due.replace(time) {
                self.agenda.remove(&(due, partition));
            }
            self.agenda.insert((time, partition));
        }
    }

    /// Answers what can be answered of a partition.
    fn release(&mut self, number: usize, out: &mut Output) -> Result<(), Fault> {
        let watermark = self.watermark;
        let is_over = watermark == i64::MAX;
        let partition = &mut self.partitions[number];
        let released = partition.held.extract_if(.., |row| is_over || row.time < watermark);
        let mut released: Vec<Row> = released.collect();
        released.sort_by(|a, b| a.order.cmp(&b.order));
        partition.rows.append(&mut released);
        let mut until = partition.rows.len();
        if !is_over {
            until = until.saturating_sub(self.need.rows_after).max(partition.answered);
            while until > partition.answered
                && partition.rows[until - 1].time.saturating_add(self.need.ms_after) >= watermark
            {
                until -= 1;
            }
        }
        if until > partition.answered {
            self.answer(number, until, out)?;
        }
        self.prune(number);
        let partition = &self.partitions[number];
        let mut due = partition.held.iter().map(|row| row.time).min();
        if let Some(row) = partition.rows.get(partition.answered).filter(|_| self.need.rows_after == 0) {
            let time = row.time.saturating_add(self.need.ms_after);
            due = Some(due.map_or(time, |due| due.min(time)));
        }
        if let Some(due) = due {
            self.schedule(number, due);
        }
        Ok(())
    }

    fn answer(&mut self, number: usize, until: usize, out: &mut Output) -> Result<(), Fault> {
        let partition = &self.partitions[number];
        let from = partition.answered;
        let rows = partition.rows.iter().map(|row| row.row.as_ref());
        let batch = batch_of(&self.input, decoded(&self.rows, rows, &self.input)?, partition.rows.len())?;
        let mut place = partition.place.clone();
        let places: Vec<Place> = partition.rows[from..until]
            .iter()
            .map(|row| {
                place.step(&row.order);
                Place { last: None, ..place.clone() }
            })
            .collect();
        let count =
            |of: fn(&Place) -> u64| -> ArrayRef { Arc::new(UInt64Array::from_iter_values(places.iter().map(of))) };
        let mut columns: Vec<ArrayRef> =
            batch.columns().iter().map(|column| column.slice(from, until - from)).collect();
        for call in &self.calls {
            columns.push(match call.function.as_str() {
                "row_number" => count(|place| place.number),
                "rank" => count(|place| place.rank),
                "dense_rank" => count(|place| place.dense),
                _ => {
                    let values = call.expression.evaluate(&batch).map_err(|error| {
                        Fault::new(Blame::Record, format!("`{}` failed: {}", call.function, error.strip_backtrace()))
                    })?;
                    values.slice(from, until - from)
                }
            });
        }
        let times: Vec<i64> = partition.rows[from..until].iter().map(|row| row.time).collect();
        for time in &times {
            if let Some(count) = self.waiting.get_mut(time) {
                *count -= 1;
                if *count == 0 {
                    self.waiting.remove(time);
                }
            }
        }
        let partition = &mut self.partitions[number];
        partition.place = place;
        partition.answered = until;
        out.give(Chunk::inserts(batch_of(&self.schema, columns, times.len())?, times.into()));
        Ok(())
    }

    /// Forgets rows that no frame reaches back to.
    fn prune(&mut self, number: usize) {
        let partition = &mut self.partitions[number];
        let next = partition.rows.get(partition.answered).map_or(i64::MAX, |row| row.time);
        let next = partition.held.iter().map(|row| row.time).fold(next, i64::min).min(self.watermark);
        let oldest = next.saturating_sub(self.need.ms_before);
        let by_rows = partition.answered.saturating_sub(self.need.rows_before);
        let by_time = match self.need.ms_before {
            0 => partition.answered,
            _ => partition.rows[..partition.answered].iter().take_while(|row| row.time < oldest).count(),
        };
        let gone = by_rows.min(by_time);
        for row in partition.rows.drain(..gone) {
            self.bytes -= row.bytes();
            self.count -= 1;
        }
        partition.answered -= gone;
    }
}

impl Operator for Over {
    fn push(&mut self, _port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let mut chunk = chunk;
        // A row that comes after its successors were answered cannot be put before them.
        let is_in_time: Vec<bool> = chunk.times.iter().map(|time| *time >= self.watermark).collect();
        let late = is_in_time.iter().filter(|is_in_time| !**is_in_time).count();
        if late > 0 && !self.need.waits_for_the_end {
            out.late_rows += late as u64;
            chunk = keep(chunk, &is_in_time.into())?;
        }
        let (chunk, partition, order) = self.values(chunk, out)?;
        for (partition, row) in self.encoded(&chunk, &partition, &order)? {
            self.hold(partition, row);
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut Output) -> Result<i64, Fault> {
        self.watermark = self.watermark.max(watermark);
        if self.watermark == i64::MAX {
            for number in 0..self.partitions.len() {
                self.release(number, out)?;
            }
            self.agenda.clear();
            return Ok(i64::MAX);
        }
        while !self.need.waits_for_the_end
            && let Some((due, number)) = self.agenda.first().copied().filter(|(due, _)| *due < self.watermark)
        {
            self.agenda.remove(&(due, number));
            self.partitions[number].due = None;
            self.release(number, out)?;
        }
        Ok(self.waiting.first_key_value().map_or(self.watermark, |(time, _)| self.watermark.min(*time)))
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        let (mut numbers, mut rows, mut times, mut phases) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (number, partition) in self.partitions.iter().enumerate() {
            let released = partition.rows.iter().enumerate();
            let released = released.map(|(at, row)| (row, if at < partition.answered { 0 } else { 1 }));
            for (row, phase) in released.chain(partition.held.iter().map(|row| (row, 2))) {
                numbers.push(number as u32);
                rows.push(row.row.as_ref());
                times.push(row.time);
                phases.push(phase);
            }
        }
        let mut columns = self.keys.columns(&numbers)?;
        let keys = columns.len();
        columns.extend(decoded(&self.rows, rows, &self.input)?);
        columns.push(Arc::new(Int64Array::from(times)));
        columns.push(Arc::new(Int64Array::from(phases)));
        let live = self.keys.all();
        let mut places = self.keys.columns(&live)?;
        let count = |of: fn(&Place) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(
                live.iter().map(|number| of(&self.partitions[*number as usize].place)),
            ))
        };
        places.extend([count(|place| place.number), count(|place| place.rank), count(|place| place.dense)]);
        let last = live.iter().map(|number| self.partitions[*number as usize].place.last.as_deref());
        places.push(Arc::new(last.collect::<arrow::array::BinaryArray>()));
        let time = Arc::new(Int64Array::from(vec![self.watermark])) as ArrayRef;
        Ok(vec![table("rows", columns, keys)?, table("places", places, keys)?, table("time", vec![time], 0)?])
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        let width = self.partition.len();
        self.watermark = earliest(&tables)?;
        for table in tables.iter().filter(|table| table.name == "rows") {
            let columns = &table.batch.columns()[width..];
            let (head, tail) = columns.split_at(columns.len() - 2);
            let (times, phases) = (column::<Int64Array>(tail, 0)?, column::<Int64Array>(tail, 1)?);
            let batch = batch_of(&self.input, head.to_vec(), times.len())?;
            let chunk = Chunk::inserts(batch, times.values().clone());
            let (chunk, partition, order) = self.values(chunk, &mut Output::default())?;
            for (at, (number, row)) in self.encoded(&chunk, &partition, &order)?.into_iter().enumerate() {
                if phases.value(at) == 2 {
                    self.hold(number, row);
                    continue;
                }
                self.bytes += row.bytes();
                self.count += 1;
                if phases.value(at) == 1 {
                    *self.waiting.entry(row.time).or_default() += 1;
                    self.schedule(number, row.time.saturating_add(self.need.ms_after));
                } else {
                    self.partitions[number].answered += 1;
                }
                self.partitions[number].rows.push(row);
            }
        }
        for table in tables.iter().filter(|table| table.name == "places") {
            let (keys, places) = table.batch.columns().split_at(width);
            let mut numbers = Vec::new();
            self.keys.intern(keys, table.batch.num_rows(), &mut numbers)?;
            self.partitions.resize_with(self.keys.capacity(), Partition::default);
            let at = |index: usize| column::<UInt64Array>(places, index);
            let (number, rank, dense) = (at(0)?, at(1)?, at(2)?);
            let last = column::<arrow::array::BinaryArray>(places, 3)?;
            for (row, partition) in numbers.into_iter().enumerate() {
                let last = last.is_valid(row).then(|| last.value(row).into());
                let place = Place { number: number.value(row), rank: rank.value(row), dense: dense.value(row), last };
                self.partitions[partition as usize].place = place;
            }
        }
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.bytes + self.keys.size() + self.partitions.capacity() * size_of::<Partition>()
    }

    fn state_rows(&self) -> usize {
        self.count
    }
}
