//! ORDER BY over bounded input: keeps the rows until the end, or as many of the first as are asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, concat, lexsort_to_indices};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};

use super::chunk::Chunk;
use super::columns::{column, computed, decoded, defect, table, taken};
use super::evaluate::{arrow_fault, evaluate};
use super::map::batch_of;
use super::operator::{Operator, Output, StateTable};
use crate::core::fault::Fault;
use crate::sql::plan::stream::{Changes, Expression, SortKey};

/// Rows beyond those asked for that are kept before the rest is thrown away: sorting is worth it only now and then.
const SPARE_ROWS: usize = 16_384;
/// Bytes that a row costs beside its own where rows are taken back: box, count, time, its share of a tree's node.
const ENTRY_BYTES: usize = 64;

/// The operator of `ORDER BY order LIMIT limit OFFSET offset` over rows of `input`.
///
/// # Errors
/// A type that has no order.
pub fn build(
    order: &[SortKey],
    limit: Option<usize>,
    offset: usize,
    input: &SchemaRef,
    changes: Changes,
) -> Result<Box<dyn Operator>, Fault> {
    let fields = input.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
    let kept = match changes {
        Changes::Append => None,
        Changes::Changelog => {
            Some(Kept { converter: RowConverter::new(fields).map_err(defect)?, rows: BTreeMap::new(), bytes: 0 })
        }
    };
    let schema = Arc::clone(input);
    Ok(Box::new(Sort { order: order.to_vec(), limit, offset, schema, pieces: Vec::new(), rows: 0, bytes: 0, kept }))
}

struct Sort {
    order: Vec<SortKey>,
    limit: Option<usize>,
    offset: usize,
    schema: SchemaRef,
    /// Columns and times, in order of arrival.
    pieces: Vec<Vec<ArrayRef>>,
    rows: usize,
    bytes: usize,
    /// The rows that are there, where rows are taken back.
    kept: Option<Kept>,
}

/// Rows by their encoding: how often each is there, and its latest time.
struct Kept {
    converter: RowConverter,
    rows: BTreeMap<Box<[u8]>, (i64, i64)>,
    bytes: usize,
}

impl Kept {
    fn put(&mut self, row: &[u8], count: i64, time: i64) {
        match self.rows.get_mut(row) {
            Some((there, latest)) => {
                *there += count;
                *latest = (*latest).max(time);
                if *there == 0 {
                    self.rows.remove(row);
                    self.bytes -= row.len() + ENTRY_BYTES;
                }
            }
            None => {
                self.rows.insert(row.into(), (count, time));
                self.bytes += row.len() + ENTRY_BYTES;
            }
        }
    }

    /// All rows, each as often as it is there, and their times.
    fn columns(&self, schema: &SchemaRef) -> Result<Vec<ArrayRef>, Fault> {
        let all = self.rows.iter();
        let all = all.flat_map(|(row, (count, time))| (0..*count).map(move |_| (row.as_ref(), *time)));
        let mut columns = decoded(&self.converter, all.clone().map(|(row, _)| row), schema)?;
        columns.push(Arc::new(Int64Array::from_iter_values(all.map(|(_, time)| time))));
        Ok(columns)
    }
}

impl Sort {
    fn keep_piece(&mut self, columns: Vec<ArrayRef>) {
        self.rows += columns.last().map_or(0, |column| column.len());
        self.bytes += columns.iter().map(|column| column.get_array_memory_size()).sum::<usize>();
        self.pieces.push(columns);
    }

    fn all(&mut self) -> Result<Option<Vec<ArrayRef>>, Fault> {
        let pieces = std::mem::take(&mut self.pieces);
        (self.rows, self.bytes) = (0, 0);
        let Some(first) = pieces.first() else { return Ok(None) };
        let columns = (0..first.len()).map(|index| {
            let all: Vec<&dyn Array> = pieces.iter().map(|piece| piece[index].as_ref()).collect();
            concat(&all).map_err(arrow_fault)
        });
        columns.collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// The first `rows` in order; of equal ones in order of arrival.
    fn first(&self, columns: &[ArrayRef], rows: Option<usize>) -> Result<Vec<ArrayRef>, Fault> {
        let count = columns.last().map_or(0, |column| column.len());
        let batch = batch_of(&self.schema, columns[..columns.len() - 1].to_vec(), count)?;
        let mut failed = Vec::new();
        let mut keys = Vec::new();
        for key in &self.order {
            let options = SortOptions { descending: key.descending, nulls_first: key.nulls_first };
            let values = evaluate(&key.expression, &batch, &mut failed)?;
            keys.push(SortColumn { values, options: Some(options) });
        }
        let arrival = UInt32Array::from_iter_values(0..count as u32);
        keys.push(SortColumn { values: Arc::new(arrival), options: None });
        taken(columns, &lexsort_to_indices(&keys, rows).map_err(arrow_fault)?)
    }

    fn wanted(&self) -> Option<usize> {
        self.limit.map(|limit| limit.saturating_add(self.offset))
    }
}

impl Operator for Sort {
    fn push(&mut self, _port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        // A row whose place cannot be computed is a bad one, now and not at the end.
        let order: Vec<Expression> = self.order.iter().map(|key| Arc::clone(&key.expression)).collect();
        let (chunk, _, _) = computed(chunk, &order, &[], "sort", out)?;
        let mut columns = chunk.batch.columns().to_vec();
        if let Some(kept) = &mut self.kept {
            let rows = kept.converter.convert_columns(&columns).map_err(arrow_fault)?;
            for row in 0..chunk.rows() {
                kept.put(rows.row(row).data(), if chunk.op(row).is_addition() { 1 } else { -1 }, chunk.times[row]);
            }
            return Ok(());
        }
        columns.push(Arc::new(chunk.times_array()));
        self.keep_piece(columns);
        if let Some(wanted) = self.wanted().filter(|wanted| self.rows > wanted.saturating_add(SPARE_ROWS))
            && let Some(all) = self.all()?
        {
            let first = self.first(&all, Some(wanted))?;
            self.keep_piece(first);
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut Output) -> Result<i64, Fault> {
        if watermark < i64::MAX {
            // Rows of any time are still held.
            return Ok(i64::MIN);
        }
        if let Some(kept) = &mut self.kept {
            let columns = kept.columns(&self.schema)?;
            kept.rows.clear();
            kept.bytes = 0;
            self.keep_piece(columns);
        }
        let Some(all) = self.all()? else { return Ok(watermark) };
        let sorted = self.first(&all, self.wanted())?;
        let rows = sorted.last().map_or(0, |column| column.len());
        let from = self.offset.min(rows);
        let sorted: Vec<ArrayRef> = sorted.iter().map(|column| column.slice(from, rows - from)).collect();
        let (times, columns) = sorted.split_last().ok_or_else(|| defect("a sorted row has no time"))?;
        let times = column::<Int64Array>(std::slice::from_ref(times), 0)?.values().clone();
        out.give(Chunk::inserts(batch_of(&self.schema, columns.to_vec(), rows - from)?, times));
        Ok(watermark)
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        let all = match &self.kept {
            Some(kept) => Some(kept.columns(&self.schema)?),
            None => self.all()?,
        };
        let Some(all) = all else { return Ok(Vec::new()) };
        if self.kept.is_none() {
            self.keep_piece(all.clone());
        }
        Ok(vec![table("rows", all, 0)?])
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        for table in tables {
            let columns = table.batch.columns();
            let Some(kept) = &mut self.kept else {
                self.keep_piece(columns.to_vec());
                continue;
            };
            let times = column::<Int64Array>(columns, columns.len() - 1)?;
            let rows = kept.converter.convert_columns(&columns[..columns.len() - 1]).map_err(arrow_fault)?;
            for row in 0..times.len() {
                kept.put(rows.row(row).data(), 1, times.value(row));
            }
        }
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.bytes + self.kept.as_ref().map_or(0, |kept| kept.bytes)
    }

    fn state_rows(&self) -> usize {
        self.rows + self.kept.as_ref().map_or(0, |kept| kept.rows.len())
    }
}
