//! Rows beside the elements of their arrays, in parts: what one batch comes to may be many times what it is. It keeps no
//! row once its elements are through, and looks at no element one by one.

mod lists;
#[cfg(test)]
mod tests;
mod weight;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int8Array, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::datatypes::SchemaRef;

use self::lists::{Lists, field};
use super::chunk::Chunk;
use super::evaluate::{FailedRow, arrow_fault, bad_records, evaluate};
use super::map::{batch_of, keep};
use super::operator::{Operator, Output};
use crate::connectors::contract::{BATCH_ROWS_MAX, Op};
use crate::core::fault::Fault;
use crate::sql::plan::stream::{UnnestColumn, UnnestNode};

/// Bytes that the columns beside the elements may come to in one part: a wide row with a long array would otherwise be
/// written thousands of times at once. As much as a batch of a source ([`BATCH_ROWS_MAX`]).
const PART_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The operator.
pub struct Unnest {
    node: UnnestNode,
    schema: SchemaRef,
    rest: Option<Rest>,
}

/// Rows whose elements are not all given.
struct Rest {
    /// The rows, of their columns those that go on.
    chunk: Chunk,
    /// Where these stand in the input.
    places: Vec<usize>,
    lists: Vec<Lists>,
    /// How many rows come of each row.
    counts: Vec<usize>,
    /// The row whose turn it is, and how many of its own were given.
    row: usize,
    given: usize,
}

/// From which rows the next part is: the row, the first of its elements, and how many.
type Runs = Vec<(usize, usize, usize)>;

impl Unnest {
    /// An operator to rows of `schema`.
    pub fn new(node: UnnestNode, schema: SchemaRef) -> Self {
        Self { node, schema, rest: None }
    }

    fn opened(&self, chunk: Chunk, out: &mut Output) -> Result<Rest, Fault> {
        let mut chunk = chunk;
        let mut failed: Vec<FailedRow> = Vec::new();
        let mut arrays = Vec::new();
        for list in &self.node.arrays {
            arrays.push(evaluate(&list.array, &chunk.batch, &mut failed)?);
        }
        if !failed.is_empty() {
            // A row that fails in several arrays is one bad record, with the first reason.
            let rows: BTreeMap<usize, FailedRow> = failed.into_iter().rev().map(|row| (row.row, row)).collect();
            let good = BooleanArray::from_iter((0..chunk.rows()).map(|row| Some(!rows.contains_key(&row))));
            out.bad.extend(bad_records(&chunk, "unnest", rows.into_values()));
            for array in &mut arrays {
                *array = arrow::compute::filter(array, &good).map_err(arrow_fault)?;
            }
            chunk = keep(chunk, &good)?;
        }
        let lists = arrays.iter().zip(&self.node.arrays).map(|(array, list)| Lists::of(array, list.depth));
        let lists = lists.collect::<Result<Vec<_>, _>>().map_err(arrow_fault)?;
        let least = usize::from(self.node.is_outer);
        let counts = (0..chunk.rows())
            .map(|row| lists.iter().map(|list| list.length(row)).max().unwrap_or_default().max(least))
            .collect();
        let mut places: Vec<usize> = self.node.columns.iter().filter_map(carried).collect();
        places.sort_unstable();
        places.dedup();
        let options = RecordBatchOptions::new().with_row_count(Some(chunk.rows()));
        let narrow = Arc::new(chunk.batch.schema().project(&places).map_err(arrow_fault)?);
        let columns = places.iter().map(|place| Arc::clone(chunk.batch.column(*place))).collect();
        let batch = RecordBatch::try_new_with_options(narrow, columns, &options).map_err(arrow_fault)?;
        Ok(Rest { chunk: chunk.with_batch(batch), places, lists, counts, row: 0, given: 0 })
    }

    fn part(&self, rest: &Rest, runs: &Runs) -> Result<Chunk, Fault> {
        let rows: usize = runs.iter().map(|(_, _, count)| count).sum();
        let sources = runs.iter().flat_map(|(row, _, count)| std::iter::repeat_n(*row as u32, *count));
        let mut chunk = rest.chunk.take(&UInt32Array::from_iter_values(sources)).map_err(arrow_fault)?;
        if let Some(ops) = &chunk.ops {
            // The halves of an update have elements of their own: those of the one go, those of the other come.
            let byte = |op: &i8| if Op::of(*op).is_addition() { Op::Insert } else { Op::Delete } as i8;
            chunk.ops = Some(Int8Array::from_iter_values(ops.values().iter().map(byte)));
        }
        let elements =
            rest.lists.iter().map(|list| list.elements(runs)).collect::<Result<Vec<_>, _>>().map_err(arrow_fault)?;
        let place = |index: usize| rest.places.iter().position(|place| *place == index).unwrap_or_default();
        let columns = self.node.columns.iter().map(|column| match *column {
            UnnestColumn::Carried(index) => Ok(Arc::clone(chunk.batch.column(place(index)))),
            UnnestColumn::CarriedField(index, part) => field(chunk.batch.column(place(index)), part),
            UnnestColumn::Element(list) => Ok(Arc::clone(&elements[list])),
            UnnestColumn::Field(list, part) => field(&elements[list], part),
            UnnestColumn::Ordinality => Ok(ordinality(rest, runs)),
        });
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(arrow_fault)?;
        let batch = batch_of(&self.schema, columns, rows)?;
        Ok(chunk.with_batch(batch))
    }
}

impl Rest {
    /// The rows of the next part; none where all is given.
    fn runs(&mut self) -> Runs {
        let (mut runs, mut rows, mut bytes) = (Vec::new(), 0, 0);
        while let Some(count) = self.counts.get(self.row) {
            let left = count - self.given;
            if left > 0 {
                let weight = weight::of_row(self.chunk.batch.columns(), self.row).max(1);
                let room = (BATCH_ROWS_MAX - rows).min((PART_BYTES_MAX - bytes) / weight);
                // One row is given however heavy it is.
                let taken = left.min(if rows == 0 { room.max(1) } else { room });
                if taken == 0 {
                    break;
                }
                runs.push((self.row, self.given, taken));
                rows += taken;
                bytes = (bytes + taken * weight).min(PART_BYTES_MAX);
                self.given += taken;
                if taken < left {
                    break;
                }
            }
            self.row += 1;
            self.given = 0;
        }
        runs
    }
}

impl Operator for Unnest {
    fn push(&mut self, _port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        self.rest = Some(self.opened(chunk, out)?);
        self.go_on(out)
    }

    fn has_more(&self) -> bool {
        self.rest.is_some()
    }

    fn go_on(&mut self, out: &mut Output) -> Result<(), Fault> {
        let Some(mut rest) = self.rest.take() else { return Ok(()) };
        loop {
            let runs = rest.runs();
            if runs.is_empty() {
                return Ok(());
            }
            out.give(self.part(&rest, &runs)?);
            if out.is_full() {
                self.rest = Some(rest);
                return Ok(());
            }
        }
    }
}

/// The column of the input behind one of the output.
fn carried(column: &UnnestColumn) -> Option<usize> {
    match column {
        UnnestColumn::Carried(index) | UnnestColumn::CarriedField(index, _) => Some(*index),
        UnnestColumn::Element(_) | UnnestColumn::Field(..) | UnnestColumn::Ordinality => None,
    }
}

/// The places of elements from 1; of a row that has none, NULL.
fn ordinality(rest: &Rest, runs: &Runs) -> ArrayRef {
    let of_run = |(row, first, count): &(usize, usize, usize)| {
        let is_any = rest.lists.iter().any(|list| list.length(*row) > 0);
        (*first..first + count).map(move |place| is_any.then(|| i64::try_from(place + 1).unwrap_or(i64::MAX)))
    };
    Arc::new(runs.iter().flat_map(of_run).collect::<Int64Array>())
}
