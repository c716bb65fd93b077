//! The columns of answers: numbers, running aggregates, aggregates over frames, and what DataFusion computes over the rows
//! at hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, UInt64Array};
use arrow::compute::{concat, filter};
use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::window::WindowExpr;

use super::frame::{Moving, Window};
use super::partition::{Partition, Place, Row};
use super::running::is_running;
use super::{Over, STAGE};
use crate::connectors::contract::{BadRecord, RawRecord};
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::aggregate::failed;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::columns::decoded;
use crate::sql::exec::evaluate::arrow_fault;
use crate::sql::exec::map::batch_of;
use crate::sql::exec::operator::Output;
use crate::sql::plan::stream::OverNode;

/// Functions that answer by all rows of a partition, whatever the frame.
const OF_THE_WHOLE: [&str; 3] = ["percent_rank", "cume_dist", "ntile"];

/// How a call is answered.
enum How {
    /// By how far the numbering has come.
    Place(fn(&Place) -> u64),
    /// By the running aggregate of this number.
    Running(usize),
    /// By the aggregate over frames of this number.
    Moving(usize),
    /// By DataFusion, over the rows at hand.
    AtHand(Arc<dyn WindowExpr>),
    /// By DataFusion, for each row over so many rows that end with it.
    Buffered(Arc<dyn WindowExpr>, usize),
}

/// How the calls of a node are answered.
pub struct Answers {
    calls: Vec<How>,
    moving: Vec<Moving>,
    has_order: bool,
}

impl Answers {
    /// Of a node over rows of `input`.
    ///
    /// # Errors
    /// An aggregate that cannot do this.
    pub fn new(node: &OverNode, input: &SchemaRef) -> Result<Self, Fault> {
        let (mut moving, mut running, mut calls) = (Vec::new(), 0, Vec::new());
        for call in &node.calls {
            let function = call.function.as_str();
            calls.push(match (function, &call.aggregate) {
                ("row_number", _) => How::Place(|place| place.number),
                ("rank", _) => How::Place(|place| place.rank),
                ("dense_rank", _) => How::Place(|place| place.dense),
                (_, Some(_)) if is_running(call) => {
                    running += 1;
                    How::Running(running - 1)
                }
                (_, Some(aggregate)) => {
                    moving.push(Moving::new(aggregate, &call.frame, &node.order, input)?);
                    How::Moving(moving.len() - 1)
                }
                (_, None) => match node.buffer.filter(|_| OF_THE_WHOLE.contains(&function)).map(|buffer| buffer.rows) {
                    Some(rows) => How::Buffered(Arc::clone(&call.expression), rows),
                    None => How::AtHand(Arc::clone(&call.expression)),
                },
            });
        }
        Ok(Self { calls, moving, has_order: !node.order.is_empty() })
    }

    /// Whether no call looks at other rows.
    fn need_no_rows(&self) -> bool {
        self.calls.iter().all(|call| matches!(call, How::Place(_) | How::Running(_)))
    }

    /// The number of the first row of a partition that a frame still has to leave behind.
    pub fn first(&self, number: usize) -> Option<u64> {
        self.moving.iter().filter_map(|moving| moving.first(number)).min()
    }

    /// Forgets a partition.
    pub fn remove(&mut self, number: usize) {
        self.moving.iter_mut().for_each(|moving| moving.remove(number));
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.moving.iter().map(Moving::size).sum()
    }

    /// The columns, by call, of those calls that look at other rows.
    fn of_rows(
        &mut self,
        window: &Window<'_>,
        columns: &mut BTreeMap<usize, Vec<ArrayRef>>,
        bad: &mut BTreeMap<usize, String>,
    ) -> Result<(), Fault> {
        let (batch, asked) = (&window.chunk.batch, &window.asked);
        for (index, call) in self.calls.iter().enumerate() {
            let column = match call {
                How::Place(_) | How::Running(_) => continue,
                How::Moving(number) => self.moving[*number].results(window, bad)?,
                How::AtHand(call) => computed(call, batch)?.slice(asked.start, asked.len()),
                How::Buffered(call, rows) => {
                    let last = |row: usize| {
                        let from = (row + 1).saturating_sub(*rows);
                        Ok(computed(call, &batch.slice(from, row + 1 - from))?.slice(row - from, 1))
                    };
                    let each = asked.clone().map(last).collect::<Result<Vec<ArrayRef>, Fault>>()?;
                    concat(&each.iter().map(AsRef::as_ref).collect::<Vec<_>>()).map_err(|error| failed(&error))?
                }
            };
            columns.entry(index).or_default().push(column);
        }
        Ok(())
    }
}

fn computed(call: &Arc<dyn WindowExpr>, batch: &RecordBatch) -> Result<ArrayRef, Fault> {
    call.evaluate(batch)
        .map_err(|error| Fault::new(Blame::Record, format!("`{}` failed: {}", call.name(), error.strip_backtrace())))
}

/// The rows that are answered, of all partitions in hand.
struct Asked {
    batch: RecordBatch,
    times: Vec<i64>,
    /// The partition of each row.
    numbers: Vec<u32>,
}

impl Asked {
    fn keep(&mut self, mask: &BooleanArray) -> Result<(), Fault> {
        self.batch = arrow::compute::filter_record_batch(&self.batch, mask).map_err(arrow_fault)?;
        let mut rows = mask.values().iter();
        self.times.retain(|_| rows.next().unwrap_or(false));
        let mut rows = mask.values().iter();
        self.numbers.retain(|_| rows.next().unwrap_or(false));
        Ok(())
    }
}

impl Over {
    /// Answers rows of partitions, each up to a row.
    ///
    /// # Errors
    /// What no row can be blamed for.
    pub(super) fn answer(&mut self, work: &[(usize, usize)], out: &mut Output) -> Result<(), Fault> {
        if work.is_empty() {
            return Ok(());
        }
        let mut work = work.to_vec();
        let mut asked = self.asked(&work)?;
        let running = self.running(&mut work, &mut asked, out)?;
        let places = self.numbered(&work);
        let mut columns: BTreeMap<usize, Vec<ArrayRef>> = BTreeMap::new();
        let mut bad: BTreeMap<usize, String> = BTreeMap::new();
        if !self.answers.need_no_rows() {
            let mut first = 0;
            for (number, until) in &work {
                let chunk = self.rows_of(*number)?;
                let partition = &self.partitions[*number];
                let (from, base) = (partition.answered, partition.base);
                let window = Window { number: *number, base, chunk: &chunk, asked: from..*until };
                let mut failed = BTreeMap::new();
                self.answers.of_rows(&window, &mut columns, &mut failed)?;
                bad.extend(failed.into_iter().map(|(row, message)| (first + row - from, message)));
                first += until - from;
                self.keep_decoded(*number, chunk);
            }
        }
        let mut given = asked.batch.columns().to_vec();
        for (index, call) in self.answers.calls.iter().enumerate() {
            given.push(match call {
                How::Place(of) => Arc::new(UInt64Array::from_iter_values(places.iter().map(of))),
                How::Running(number) => Arc::clone(&running[*number]),
                _ => {
                    let parts = columns.remove(&index).unwrap_or_default();
                    concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()).map_err(|error| failed(&error))?
                }
            });
        }
        for (number, until) in work {
            self.partitions[number].answered = until;
        }
        asked.times.clone().into_iter().for_each(|time| self.no_longer_waits(time));
        let is_given = |row: usize| self.least.is_none_or(|least| places[row].number >= least);
        if !bad.is_empty() || self.least.is_some() {
            let is_left = |row: usize| !bad.contains_key(&row) && is_given(row);
            let mask: BooleanArray = (0..asked.times.len()).map(|row| Some(is_left(row))).collect();
            bad.into_iter().for_each(|(row, message)| overflowed(asked.times[row], message, out));
            for column in &mut given {
                *column = filter(column, &mask).map_err(arrow_fault)?;
            }
            asked.keep(&mask)?;
        }
        let batch = batch_of(&self.schema, given, asked.times.len())?;
        out.give(Chunk::inserts(batch, asked.times.into()));
        Ok(())
    }

    pub(super) fn chunk_of<'a>(&self, rows: impl Iterator<Item = &'a Row> + Clone) -> Result<Chunk, Fault> {
        let times: Vec<i64> = rows.clone().map(|row| row.time).collect();
        let columns = decoded(&self.rows, rows.map(|row| row.row.as_ref()), &self.input)?;
        Ok(Chunk::inserts(batch_of(&self.input, columns, times.len())?, times.into()))
    }

    fn asked(&self, work: &[(usize, usize)]) -> Result<Asked, Fault> {
        let rows = || work.iter().flat_map(|(number, until)| open(&self.partitions[*number], *until));
        let chunk = self.chunk_of(rows())?;
        let of = |(number, until): &(usize, usize)| {
            std::iter::repeat_n(*number as u32, until - self.partitions[*number].answered)
        };
        Ok(Asked { batch: chunk.batch, times: chunk.times.to_vec(), numbers: work.iter().flat_map(of).collect() })
    }

    /// The running aggregates, one column a call. A row that is refused is left out of everything.
    fn running(
        &mut self,
        work: &mut [(usize, usize)],
        asked: &mut Asked,
        out: &mut Output,
    ) -> Result<Vec<ArrayRef>, Fault> {
        if self.running.is_empty() {
            return Ok(Vec::new());
        }
        let mut is_peer = Vec::with_capacity(asked.times.len());
        for (number, until) in &*work {
            let mut before: Option<&Row> = None;
            for row in open(&self.partitions[*number], *until) {
                is_peer.push(before.is_some_and(|before| before.order == row.order));
                before = Some(row);
            }
        }
        let mut refused = Vec::new();
        let chunk = Chunk::inserts(asked.batch.clone(), asked.times.clone().into());
        let columns = self.running.follow(chunk, &asked.numbers, &is_peer, &mut refused)?;
        if refused.is_empty() {
            return Ok(columns);
        }
        let mut counts = vec![true; asked.times.len()];
        for bad in refused {
            counts[bad.row] = false;
            overflowed(asked.times[bad.row], bad.message, out);
        }
        let mut at = 0;
        for (number, until) in work {
            let partition = &mut self.partitions[*number];
            let (from, mut row) = (partition.answered, 0);
            let (before, mut gone) = (*until, Vec::new());
            partition.rows = std::mem::take(&mut partition.rows)
                .into_iter()
                .filter_map(|entry| {
                    let is_left = row < from || before <= row || counts[at + row - from];
                    row += 1;
                    if is_left {
                        return Some(entry);
                    }
                    gone.push(entry);
                    None
                })
                .collect();
            at += before - from;
            *until -= gone.len();
            if !gone.is_empty() {
                self.take_decoded(*number);
            }
            for row in gone {
                self.forget(&row);
                self.no_longer_waits(row.time);
            }
        }
        asked.keep(&counts.into())?;
        Ok(columns)
    }

    /// The places of the rows that are answered.
    fn numbered(&mut self, work: &[(usize, usize)]) -> Vec<Place> {
        let has_order = self.answers.has_order;
        let mut places = Vec::new();
        for (number, until) in work {
            let partition = &mut self.partitions[*number];
            let mut place = std::mem::take(&mut partition.place);
            for row in open(partition, *until) {
                place.step(&row.order, has_order);
                places.push(Place { number: place.number, rank: place.rank, dense: place.dense, last: None });
            }
            partition.place = place;
        }
        places
    }
}

/// Rows of a partition that have no answer, up to one.
fn open(partition: &Partition, until: usize) -> std::slice::Iter<'_, Row> {
    partition.rows[partition.answered..until].iter()
}

/// A row whose aggregate does not fit its type. Its record is no longer at hand.
fn overflowed(time: i64, message: String, out: &mut Output) {
    let record = RawRecord { timestamp_ms: Some(time), ..RawRecord::default() };
    out.bad.push(BadRecord { record, stage: STAGE, class: "overflow", message });
}
