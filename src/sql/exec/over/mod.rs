//! Window functions over partitions, in order of time: rows wait until the watermark has passed theirs, so that the result
//! is that of sorted input. Running aggregates keep a state a partition; of the rows themselves only as much is kept as
//! frames reach back.

mod answer;
mod decoded;
mod expiry;
mod frame;
mod line;
mod need;
mod partition;
mod running;
mod state;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, TimestampMillisecondArray};
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit, TimestampMillisecondType};
use arrow::row::{RowConverter, SortField};
use datafusion_physical_expr::expressions::Column;

use self::answer::Answers;
use self::need::Need;
use self::partition::{Partition, Row};
use self::running::Running;
use super::chunk::Chunk;
use super::columns::{computed, defect};
use super::evaluate::arrow_fault;
use super::map::keep;
use super::operator::{Operator, Output, StateTable};
use super::refusals::refuse;
use crate::connectors::contract::{BATCH_ROWS_MAX, BadRow};
use crate::core::fault::Fault;
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::{Expression, OverNode};

/// The stage of rows that fail here.
pub(super) const STAGE: &str = "over";

/// The operator of a node over rows of `input` that gives rows of `schema`.
///
/// # Errors
/// A type that has no order.
pub fn build(
    node: &OverNode,
    input: &SchemaRef,
    schema: &SchemaRef,
    late: LateStrategy,
) -> Result<Box<dyn Operator>, Fault> {
    let order: Vec<Expression> = node.order.iter().map(|key| Arc::clone(&key.expression)).collect();
    let order_types = order.iter().map(|key| key.data_type(input)).collect::<Result<Vec<_>, _>>().map_err(defect)?;
    let by = order_types.into_iter().zip(&node.order).map(|(of, key)| {
        let options = SortOptions { descending: key.descending, nulls_first: key.nulls_first };
        SortField::new_with_options(of, options)
    });
    let by = if order.is_empty() { vec![SortField::new(DataType::Int64)] } else { by.collect() };
    let rows = input.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
    Ok(Box::new(Over {
        running: Running::new(node, input)?,
        answers: Answers::new(node, input)?,
        checks: checks(node),
        orders: RowConverter::new(by).map_err(defect)?,
        rows: RowConverter::new(rows).map_err(defect)?,
        need: Need::of(node)?,
        least: node.buffer.filter(|buffer| buffer.emits_when_full).map(|buffer| buffer.rows as u64),
        silence_ms: node
            .buffer
            .and_then(|buffer| buffer.expires)
            .map(|silence| i64::try_from(silence.as_millis()).unwrap_or(i64::MAX)),
        partition: node.partition.clone(),
        order,
        window_end: node.window_end,
        late,
        input: Arc::clone(input),
        schema: Arc::clone(schema),
        partitions: Vec::new(),
        agenda: BTreeSet::new(),
        waiting: BTreeMap::new(),
        watermark: i64::MIN,
        bytes: 0,
        decoded_bytes: 0,
        count: 0,
    }))
}

/// Arguments that may fail for a row: such a row is known to be bad when it comes, as long as its record is at hand.
fn checks(node: &OverNode) -> Vec<Expression> {
    let arguments = node.calls.iter().flat_map(|call| {
        let filter = call.aggregate.as_ref().and_then(|aggregate| aggregate.filter.clone());
        call.expression.expressions().into_iter().chain(filter)
    });
    arguments.filter(|argument| !argument.as_any().is::<Column>()).collect()
}

struct Over {
    partition: Vec<Expression>,
    /// What rows are sorted by; event time where empty.
    order: Vec<Expression>,
    checks: Vec<Expression>,
    /// Column of the window's end, where each partition is complete with its window.
    window_end: Option<usize>,
    late: LateStrategy,
    need: Need,
    /// The place of a partition's first row that gives a result, where a buffer is to be full before.
    least: Option<u64>,
    /// A silence of more milliseconds empties a partition.
    silence_ms: Option<i64>,
    input: SchemaRef,
    schema: SchemaRef,
    /// The numbers of partitions by their keys, and what only ever adds up in them.
    running: Running,
    answers: Answers,
    orders: RowConverter,
    rows: RowConverter,
    partitions: Vec<Partition>,
    /// Partitions by the watermark that has to be passed before there is something to do.
    agenda: BTreeSet<(i64, usize)>,
    /// Times of rows that have no answer yet, and how many.
    waiting: BTreeMap<i64, usize>,
    watermark: i64,
    bytes: usize,
    /// Of rows that are kept as columns too.
    decoded_bytes: usize,
    count: usize,
}

/// Rows to be answered of a partition: up to this one.
type Work = Vec<(usize, usize)>;

impl Over {
    /// The chunk without rows that fail, their partitions and what they are sorted by.
    fn values(&self, chunk: Chunk, out: &mut Output) -> Result<(Chunk, Vec<ArrayRef>, Vec<ArrayRef>), Fault> {
        let first: Vec<Expression> = self.partition.iter().chain(&self.checks).cloned().collect();
        let (chunk, mut partition, mut order) = computed(chunk, &first, &self.order, STAGE, out)?;
        partition.truncate(self.partition.len());
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
        let partitions = self.running.of_keys(partition, chunk.rows())?;
        self.partitions.resize_with(self.running.capacity(), Partition::default);
        let orders = self.orders.convert_columns(order).map_err(arrow_fault)?;
        let rows = self.rows.convert_columns(chunk.batch.columns()).map_err(arrow_fault)?;
        let keys = key_times(&order[0], chunk)?;
        let row = |row: usize| Row {
            order: orders.row(row).data().into(),
            row: rows.row(row).data().into(),
            time: chunk.times[row],
            key_ms: keys.value(row),
        };
        Ok(partitions.into_iter().enumerate().map(|(at, partition)| (partition as usize, row(at))).collect())
    }

    fn hold(&mut self, partition: usize, row: Row, due: i64) {
        self.bytes += row.bytes();
        self.count += 1;
        *self.waiting.entry(row.time).or_default() += 1;
        self.schedule(partition, due);
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

    /// Whether a partition that is due gets no more rows.
    pub(super) fn is_complete(&self) -> bool {
        self.watermark == i64::MAX || self.window_end.is_some()
    }

    pub(super) fn forget(&mut self, row: &Row) {
        self.bytes -= row.bytes();
        self.count -= 1;
    }

    pub(super) fn no_longer_waits(&mut self, time: i64) {
        if let Some(count) = self.waiting.get_mut(&time) {
            *count -= 1;
            if *count == 0 {
                self.waiting.remove(&time);
            }
        }
    }

    /// Answers what can be answered of partitions that are due.
    fn release(&mut self, due: &[usize], out: &mut Output) -> Result<(), Fault> {
        let (mut work, mut rows): (Work, usize) = (Vec::new(), 0);
        for number in due {
            self.line_up(*number, out);
            self.expire(*number, out)?;
            let until = match self.is_silent(*number) {
                true => self.partitions[*number].rows.len(),
                false => self.answerable(*number),
            };
            let partition = &self.partitions[*number];
            if partition.answered < until {
                rows += until - partition.answered;
                work.push((*number, until));
            }
            if BATCH_ROWS_MAX <= rows {
                self.answer(&std::mem::take(&mut work), out)?;
                rows = 0;
            }
        }
        self.answer(&work, out)?;
        for number in due {
            let is_over = self.window_end.is_some() || self.is_silent(*number);
            if is_over && self.watermark < i64::MAX {
                self.take_decoded(*number);
                let partition = std::mem::take(&mut self.partitions[*number]);
                partition.rows.iter().for_each(|row| self.forget(row));
                self.running.clear(*number);
                self.running.remove(*number);
                self.answers.remove(*number);
                continue;
            }
            self.prune(*number);
            let partition = &self.partitions[*number];
            let mut next = partition.held.iter().map(|row| row.time).min();
            if let Some(row) = partition.rows.get(partition.answered).filter(|_| self.need.rows_after == 0) {
                let time = row.time.saturating_add(self.need.ms_after);
                next = Some(next.map_or(time, |next| next.min(time)));
            }
            if let Some(expires) = self.expires_at(*number) {
                next = Some(next.map_or(expires, |next| next.min(expires)));
            }
            if let Some(next) = next {
                self.schedule(*number, next);
            }
        }
        Ok(())
    }

    /// The rows that are in time; those whose successors were answered are treated as the strategy says.
    fn in_time(&self, chunk: Chunk, out: &mut Output) -> Result<Chunk, Fault> {
        let is_late: Vec<bool> = self.due(&chunk)?.iter().map(|due| *due < self.watermark).collect();
        let late = is_late.iter().filter(|is_late| **is_late).count();
        if late == 0 || self.need.waits_for_the_end {
            return Ok(chunk);
        }
        out.late_rows += late as u64;
        if self.late == LateStrategy::IncludeInNextWindow && self.window_end.is_none() {
            // It stands behind what was answered, as if it came now.
            let times = chunk.times.iter().map(|time| (*time).max(self.watermark)).collect();
            return Ok(Chunk { times, ..chunk });
        }
        if self.late == LateStrategy::DeadLetter {
            let message = format!("rows behind it were answered at the watermark {}", self.watermark);
            let bad = |row: usize| BadRow { row, class: "late", message: message.clone() };
            refuse(&chunk, (0..is_late.len()).filter(|row| is_late[*row]).map(bad).collect(), STAGE, out);
        }
        let is_in_time: Vec<bool> = is_late.iter().map(|is_late| !is_late).collect();
        keep(chunk, &is_in_time.into())
    }

    /// What the watermark has to pass before each row is answered: its time, or the last millisecond of its window.
    fn due(&self, chunk: &Chunk) -> Result<Vec<i64>, Fault> {
        Ok(match self.window_end {
            Some(end) => ends_of(chunk, end)?.values().iter().map(|end| end - 1).collect(),
            None => chunk.times.to_vec(),
        })
    }
}

/// The first key of the order in milliseconds since 1970; the event time where it is no time.
fn key_times(order: &ArrayRef, chunk: &Chunk) -> Result<Int64Array, Fault> {
    match order.data_type() {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
            let times = cast(order, &DataType::Timestamp(TimeUnit::Millisecond, None)).map_err(arrow_fault)?;
            Ok(Int64Array::new(times.as_primitive::<TimestampMillisecondType>().values().clone(), None))
        }
        _ => Ok(chunk.times_array()),
    }
}

fn ends_of(chunk: &Chunk, column: usize) -> Result<&TimestampMillisecondArray, Fault> {
    let ends = chunk.batch.column(column).as_any().downcast_ref::<TimestampMillisecondArray>();
    ends.ok_or_else(|| defect("its window has no end"))
}

impl Operator for Over {
    fn push(&mut self, _port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let chunk = self.in_time(chunk, out)?;
        let (chunk, partition, order) = self.values(chunk, out)?;
        let due = self.due(&chunk)?;
        for ((partition, row), due) in self.encoded(&chunk, &partition, &order)?.into_iter().zip(due) {
            self.hold(partition, row, due);
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut Output) -> Result<i64, Fault> {
        self.watermark = self.watermark.max(watermark);
        if self.watermark == i64::MAX {
            self.agenda.clear();
            let all: Vec<usize> = (0..self.partitions.len()).collect();
            all.iter().for_each(|number| self.partitions[*number].due = None);
            self.release(&all, out)?;
            self.agenda.clear();
            return Ok(i64::MAX);
        }
        let mut due = Vec::new();
        while !self.need.waits_for_the_end
            && let Some((at, number)) = self.agenda.first().copied().filter(|(at, _)| *at < self.watermark)
        {
            self.agenda.remove(&(at, number));
            self.partitions[number].due = None;
            due.push(number);
        }
        self.release(&due, out)?;
        Ok(self.waiting.first_key_value().map_or(self.watermark, |(time, _)| self.watermark.min(*time)))
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        self.tables()
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        self.take(&tables)
    }

    fn state_bytes(&self) -> usize {
        self.bytes
            + self.decoded_bytes
            + self.running.size()
            + self.answers.size()
            + self.partitions.capacity() * size_of::<Partition>()
    }

    fn state_rows(&self) -> usize {
        self.count
    }
}
