//! The first rows of each partition by an order: a changelog of who is among them, or once when the partition's window
//! closes or the input ends. Of rows that only come no more are kept than can be given.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int8Array, Int64Array, TimestampMillisecondArray, UInt64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};

use super::aggregate::keys::Keys;
use super::chunk::Chunk;
use super::columns::{column, computed, decoded, defect, earliest, table};
use super::evaluate::arrow_fault;
use super::map::{batch_of, keep};
use super::operator::{Operator, Output, StateTable};
use super::refusals::refuse;
use crate::connectors::contract::{BadRow, Op};
use crate::core::fault::Fault;
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::{Changes, Expression, TopNNode};

/// Bytes that a row costs beside its own: two boxes, a counted pointer, its place in a list.
const ENTRY_BYTES: usize = 88;

/// The stage of rows that fail here.
const STAGE: &str = "top";

/// The operator of a node over rows of `input` that gives rows of `schema`.
///
/// # Errors
/// A type that has no order.
pub fn build(
    node: &TopNNode,
    input: &SchemaRef,
    input_changes: Changes,
    schema: &SchemaRef,
    changes: Changes,
    late: LateStrategy,
) -> Result<Box<dyn Operator>, Fault> {
    let partition = node.partition.clone();
    let order: Vec<Expression> = node.order.iter().map(|key| Arc::clone(&key.expression)).collect();
    let types = partition.iter().map(|key| key.data_type(input)).collect::<Result<Vec<_>, _>>().map_err(defect)?;
    let by = order.iter().zip(&node.order).map(|(expression, key)| {
        let options = SortOptions { descending: key.descending, nulls_first: key.nulls_first };
        Ok(SortField::new_with_options(expression.data_type(input).map_err(defect)?, options))
    });
    let rows = input.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
    Ok(Box::new(TopN {
        keys: Keys::new(&types)?,
        orders: RowConverter::new(by.collect::<Result<_, Fault>>()?).map_err(defect)?,
        rows: RowConverter::new(rows).map_err(defect)?,
        partition,
        order,
        limit: node.limit,
        has_rank: node.has_rank,
        window_end: node.window_end,
        keeps_all: input_changes == Changes::Changelog,
        is_final: changes == Changes::Append,
        late,
        input: Arc::clone(input),
        schema: Arc::clone(schema),
        partitions: Vec::new(),
        before: BTreeMap::new(),
        agenda: BTreeSet::new(),
        next_number: 0,
        watermark: i64::MIN,
        bytes: 0,
        count: 0,
    }))
}

struct TopN {
    partition: Vec<Expression>,
    order: Vec<Expression>,
    limit: usize,
    has_rank: bool,
    window_end: Option<usize>,
    /// Rows are taken back, so one beyond the limit may come to count.
    keeps_all: bool,
    /// Results are given once.
    is_final: bool,
    late: LateStrategy,
    input: SchemaRef,
    schema: SchemaRef,
    keys: Keys,
    orders: RowConverter,
    rows: RowConverter,
    /// The rows of each partition, in order.
    partitions: Vec<Vec<Arc<Entry>>>,
    /// What was given of partitions that changed since.
    before: BTreeMap<usize, Vec<Arc<Entry>>>,
    /// Partitions by the end of their window.
    agenda: BTreeSet<(i64, usize)>,
    next_number: u64,
    watermark: i64,
    bytes: usize,
    count: usize,
}

/// A row, by its order and then by its arrival.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    order: Box<[u8]>,
    number: u64,
    row: Box<[u8]>,
    time: i64,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.order.len() + self.row.len() + ENTRY_BYTES
    }
}

struct Given {
    op: Op,
    entry: Arc<Entry>,
    rank: u64,
}

impl TopN {
    fn given_of(&self, partition: usize) -> &[Arc<Entry>] {
        let rows = &self.partitions[partition];
        &rows[..rows.len().min(self.limit)]
    }

    fn touch(&mut self, partition: usize) {
        if !self.is_final && !self.before.contains_key(&partition) {
            let given = self.given_of(partition).to_vec();
            self.before.insert(partition, given);
        }
    }

    fn add(&mut self, partition: usize, order: &[u8], row: &[u8], time: i64) {
        let rows = &self.partitions[partition];
        if !self.keeps_all && rows.len() >= self.limit && rows.last().is_none_or(|last| last.order.as_ref() <= order) {
            return;
        }
        self.touch(partition);
        let entry = Arc::new(Entry { order: order.into(), number: self.next_number, row: row.into(), time });
        self.next_number += 1;
        self.bytes += entry.bytes();
        self.count += 1;
        let rows = &mut self.partitions[partition];
        let at = rows.partition_point(|other| other.order.as_ref() <= order);
        rows.insert(at, entry);
        if !self.keeps_all && rows.len() > self.limit {
            for gone in rows.drain(self.limit..) {
                self.bytes -= gone.bytes();
                self.count -= 1;
            }
        }
    }

    fn take_back(&mut self, partition: usize, order: &[u8], row: &[u8]) {
        self.touch(partition);
        let rows = &mut self.partitions[partition];
        let from = rows.partition_point(|other| other.order.as_ref() < order);
        let found = rows[from..].iter().take_while(|other| other.order.as_ref() == order);
        let found = found.enumerate().find(|(_, other)| other.row.as_ref() == row).map(|(at, _)| from + at);
        if let Some(at) = found {
            let gone = rows.remove(at);
            self.bytes -= gone.bytes();
            self.count -= 1;
        }
    }

    /// What changed of a partition, given what was given of it.
    fn difference(&self, partition: usize, before: &[Arc<Entry>], given: &mut Vec<Given>) {
        let now = self.given_of(partition);
        if self.has_rank {
            for at in 0..before.len().max(now.len()) {
                let rank = at as u64 + 1;
                let push = |op: Op, entry: &Arc<Entry>| Given { op, entry: Arc::clone(entry), rank };
                match (before.get(at), now.get(at)) {
                    (Some(old), Some(new)) if old.number == new.number => {}
                    (Some(old), Some(new)) => {
                        given.push(push(Op::UpdateBefore, old));
                        given.push(push(Op::UpdateAfter, new));
                    }
                    (Some(old), None) => given.push(push(Op::Delete, old)),
                    (None, Some(new)) => given.push(push(Op::Insert, new)),
                    (None, None) => {}
                }
            }
            return;
        }
        let is_in = |all: &[Arc<Entry>], entry: &Entry| {
            all.binary_search_by(|other| (&other.order, other.number).cmp(&(&entry.order, entry.number))).is_ok()
        };
        let one = |op: Op, entry: &Arc<Entry>| Given { op, entry: Arc::clone(entry), rank: 0 };
        given.extend(before.iter().filter(|old| !is_in(now, old)).map(|old| one(Op::Delete, old)));
        given.extend(now.iter().filter(|new| !is_in(before, new)).map(|new| one(Op::Insert, new)));
    }

    fn all_of(&self, partition: usize, given: &mut Vec<Given>) {
        let rows = self.given_of(partition).iter().enumerate();
        given.extend(rows.map(|(at, entry)| Given { op: Op::Insert, entry: Arc::clone(entry), rank: at as u64 + 1 }));
    }

    fn give(&self, given: &[Given], out: &mut Output) -> Result<(), Fault> {
        if given.is_empty() {
            return Ok(());
        }
        let mut columns = decoded(&self.rows, given.iter().map(|given| given.entry.row.as_ref()), &self.input)?;
        if self.has_rank {
            columns.push(Arc::new(UInt64Array::from_iter_values(given.iter().map(|given| given.rank))));
        }
        let batch = batch_of(&self.schema, columns, given.len())?;
        let changes = given.iter().any(|given| given.op != Op::Insert);
        let ops = changes.then(|| Int8Array::from_iter_values(given.iter().map(|given| given.op as i8)));
        out.give(Chunk { ops, ..Chunk::inserts(batch, given.iter().map(|given| given.entry.time).collect()) });
        Ok(())
    }

    fn forget(&mut self, partition: usize) {
        for gone in std::mem::take(&mut self.partitions[partition]) {
            self.bytes -= gone.bytes();
            self.count -= 1;
        }
        if !self.partition.is_empty() {
            self.keys.remove(partition as u32);
        }
    }

    fn absorb(&mut self, chunk: &Chunk, partition: &[ArrayRef], order: &[ArrayRef]) -> Result<(), Fault> {
        let mut partitions = Vec::new();
        self.keys.intern(partition, chunk.rows(), &mut partitions)?;
        self.partitions.resize_with(self.keys.capacity(), Vec::new);
        if let Some(end) = self.window_end {
            let ends = ends_of(chunk, end)?;
            for (row, partition) in partitions.iter().enumerate() {
                if self.partitions[*partition as usize].is_empty() {
                    self.agenda.insert((ends.value(row), *partition as usize));
                }
            }
        }
        let orders = self.orders.convert_columns(order).map_err(arrow_fault)?;
        let rows = self.rows.convert_columns(chunk.batch.columns()).map_err(arrow_fault)?;
        for (row, partition) in partitions.into_iter().enumerate() {
            let partition = partition as usize;
            let (order, bytes) = (orders.row(row), rows.row(row));
            if chunk.op(row).is_addition() {
                self.add(partition, order.data(), bytes.data(), chunk.times[row]);
            } else {
                self.take_back(partition, order.data(), bytes.data());
            }
        }
        Ok(())
    }
}

impl Operator for TopN {
    fn push(&mut self, _port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let mut chunk = chunk;
        if let Some(end) = self.window_end {
            // Rows of a window that was given: their result stands.
            let is_open: Vec<bool> = ends_of(&chunk, end)?.values().iter().map(|end| *end > self.watermark).collect();
            let late = is_open.iter().filter(|is_open| !**is_open).count();
            if late > 0 {
                out.late_rows += late as u64;
                if self.late == LateStrategy::DeadLetter {
                    let message = format!("its window closed at the watermark {}", self.watermark);
                    let bad = |row: usize| BadRow { row, class: "late", message: message.clone() };
                    refuse(&chunk, (0..is_open.len()).filter(|row| !is_open[*row]).map(bad).collect(), STAGE, out);
                }
                chunk = keep(chunk, &is_open.into())?;
            }
        }
        let (chunk, partition, order) = computed(chunk, &self.partition, &self.order, STAGE, out)?;
        self.absorb(&chunk, &partition, &order)
    }

    fn flush(&mut self, out: &mut Output) -> Result<(), Fault> {
        let mut given = Vec::new();
        for (partition, before) in std::mem::take(&mut self.before) {
            self.difference(partition, &before, &mut given);
            if self.partitions[partition].is_empty() {
                self.forget(partition);
            }
        }
        self.give(&given, out)
    }

    fn watermark(&mut self, watermark: i64, out: &mut Output) -> Result<i64, Fault> {
        self.watermark = self.watermark.max(watermark);
        let mut given = Vec::new();
        if self.window_end.is_some() {
            while let Some((end, partition)) = self.agenda.first().copied().filter(|(end, _)| *end <= self.watermark) {
                self.agenda.remove(&(end, partition));
                self.all_of(partition, &mut given);
                self.forget(partition);
            }
            self.give(&given, out)?;
            // Rows of an open window may be older than the watermark by less than its end: they come with their times.
            let oldest = self.partitions.iter().flatten().map(|entry| entry.time).min().unwrap_or(i64::MAX);
            return Ok(self.watermark.min(oldest));
        }
        if self.is_final {
            if watermark < i64::MAX {
                return Ok(i64::MIN);
            }
            for partition in 0..self.partitions.len() {
                self.all_of(partition, &mut given);
                self.forget(partition);
            }
            self.give(&given, out)?;
        }
        Ok(watermark)
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        let entries = self.partitions.iter().enumerate();
        let entries: Vec<(usize, &Arc<Entry>)> =
            entries.flat_map(|(partition, rows)| rows.iter().map(move |entry| (partition, entry))).collect();
        let partitions: Vec<u32> = entries.iter().map(|(partition, _)| *partition as u32).collect();
        let mut columns = self.keys.columns(&partitions)?;
        let keys = columns.len();
        columns.extend(decoded(&self.rows, entries.iter().map(|(_, entry)| entry.row.as_ref()), &self.input)?);
        columns.push(Arc::new(Int64Array::from_iter_values(entries.iter().map(|(_, entry)| entry.time))));
        let time = Arc::new(Int64Array::from(vec![self.watermark])) as ArrayRef;
        Ok(vec![table("rows", columns, keys)?, table("time", vec![time], 0)?])
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        for table in tables.iter().filter(|table| table.name == "rows") {
            let columns = &table.batch.columns()[self.partition.len()..];
            let (times, columns) = columns.split_last().ok_or_else(|| defect("its rows have no time"))?;
            let times = column::<Int64Array>(std::slice::from_ref(times), 0)?.values().clone();
            let batch = batch_of(&self.input, columns.to_vec(), times.len())?;
            let mut out = Output::default();
            let chunk = Chunk::inserts(batch, times);
            let (chunk, partition, order) = computed(chunk, &self.partition, &self.order, STAGE, &mut out)?;
            self.absorb(&chunk, &partition, &order)?;
        }
        // What was kept was given, too.
        self.before.clear();
        self.watermark = earliest(&tables)?;
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.bytes + self.keys.size()
    }

    fn state_rows(&self) -> usize {
        self.count
    }
}

fn ends_of(chunk: &Chunk, column: usize) -> Result<&TimestampMillisecondArray, Fault> {
    let ends = chunk.batch.column(column).as_any().downcast_ref::<TimestampMillisecondArray>();
    ends.ok_or_else(|| defect("its window has no end"))
}

#[cfg(test)]
#[path = "top_n_tests.rs"]
mod tests;
