//! A source read as a table: a later row of a key replaces the earlier one, a tombstone deletes it. It remembers the
//! newest row of each key and gives the changes. A row that did not change for its time to live is deleted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, Int8Array, RecordBatch, UInt32Array};
use arrow::datatypes::SchemaRef;
use arrow::row::{OwnedRow, RowConverter, Rows, SortField};

use super::chunk::{Chunk, Origins};
use super::evaluate::arrow_fault;
use super::map::batch_of;
use super::operator::{Operator, Output, StateTable};
use crate::connectors::contract::Op;
use crate::core::fault::{Blame, Fault};

/// Bytes that a key costs beside its own and its row's: two boxes and a slot of the map.
const ENTRY_BYTES: usize = 104;
/// Looks for rows that are over, in the time that one lives: it lives at most so much longer.
const LOOKS_PER_LIFE: i64 = 10;

/// Upserts to a changelog.
pub struct Upsert {
    schema: SchemaRef,
    /// Columns of the key, then the others: the order in which they are kept.
    order: Vec<usize>,
    keys: usize,
    key_rows: RowConverter,
    all_rows: RowConverter,
    newest: HashMap<OwnedRow, Newest>,
    bytes: usize,
    /// How long a row lives after its last change, milliseconds.
    ttl_ms: Option<i64>,
    now_ms: i64,
    next_look_ms: i64,
}

/// The newest row of a key.
struct Newest {
    row: OwnedRow,
    time: i64,
    /// When it came, by the clock of processing; 0 from before the first tick.
    changed_ms: i64,
}

/// A row of the output while it is gathered.
enum Given {
    /// A row of the input.
    New(usize),
    /// A row that was kept.
    Old(OwnedRow),
}

impl Upsert {
    /// Upserts by the columns `key`; a row lives for `ttl` after its last change, or for ever.
    ///
    /// # Errors
    /// A column type that cannot be kept as a row.
    pub fn new(schema: SchemaRef, key: Vec<usize>, ttl: Option<Duration>) -> Result<Self, Fault> {
        let keys = key.len();
        let mut order = key;
        let others = (0..schema.fields().len()).filter(|index| !order.contains(index)).collect::<Vec<_>>();
        order.extend(others);
        let converter = |columns: &[usize]| {
            let fields = columns.iter().map(|index| SortField::new(schema.field(*index).data_type().clone()));
            RowConverter::new(fields.collect()).map_err(|error| {
                Fault::new(Blame::Operator, format!("a table cannot keep a column of this type: {error}"))
            })
        };
        let (key_rows, all_rows) = (converter(&order[..keys])?, converter(&order)?);
        let ttl_ms = ttl.map(|ttl| i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
        let newest = HashMap::new();
        Ok(Self { schema, order, keys, key_rows, all_rows, newest, bytes: 0, ttl_ms, now_ms: 0, next_look_ms: 0 })
    }

    fn columns(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        self.order.iter().map(|index| Arc::clone(batch.column(*index))).collect()
    }

    fn set(&mut self, key: OwnedRow, row: OwnedRow, time: i64) -> Option<Newest> {
        self.bytes += key.as_ref().len() + row.as_ref().len() + ENTRY_BYTES;
        let old = self.newest.insert(key.clone(), Newest { row, time, changed_ms: self.now_ms });
        if let Some(old) = &old {
            self.bytes -= key.as_ref().len() + old.row.as_ref().len() + ENTRY_BYTES;
        }
        old
    }

    fn delete(&mut self, key: &OwnedRow) -> Option<Newest> {
        let old = self.newest.remove(key)?;
        self.bytes -= key.as_ref().len() + old.row.as_ref().len() + ENTRY_BYTES;
        Some(old)
    }

    /// The gathered rows as a chunk, columns in the schema's order.
    fn gathered(&self, chunk: &Chunk, all: &Rows, given: &[(Given, Op, usize)]) -> Result<Chunk, Fault> {
        let rows = given.iter().map(|(row, ..)| match row {
            Given::New(index) => all.row(*index),
            Given::Old(row) => row.row(),
        });
        let kept = self.all_rows.convert_rows(rows).map_err(arrow_fault)?;
        let batch = self.in_schema_order(kept, given.len())?;
        Ok(Chunk {
            batch,
            // Both halves of a change happen when its cause does.
            times: given.iter().map(|(_, _, cause)| chunk.times[*cause]).collect(),
            ops: Some(Int8Array::from_iter_values(given.iter().map(|(_, op, _)| *op as i8))),
            origins: chunk.origins.as_ref().map(|origins| Origins {
                records: Arc::clone(&origins.records),
                rows: UInt32Array::from_iter_values(given.iter().map(|(_, _, cause)| origins.rows.value(*cause))),
            }),
        })
    }

    fn in_schema_order(&self, kept: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Fault> {
        let mut columns: Vec<Option<ArrayRef>> = vec![None; kept.len()];
        for (index, column) in self.order.iter().zip(kept) {
            columns[*index] = Some(column);
        }
        batch_of(&self.schema, columns.into_iter().flatten().collect(), rows)
    }
}

impl Operator for Upsert {
    fn push(&mut self, _port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let columns = self.columns(&chunk.batch);
        let keys = self.key_rows.convert_columns(&columns[..self.keys]).map_err(arrow_fault)?;
        let all = self.all_rows.convert_columns(&columns).map_err(arrow_fault)?;
        let mut given: Vec<(Given, Op, usize)> = Vec::with_capacity(chunk.rows());
        for row in 0..chunk.rows() {
            let key = keys.row(row).owned();
            if !chunk.op(row).is_addition() {
                // The old half of a change that follows says nothing that is not remembered.
                if chunk.op(row) == Op::Delete
                    && let Some(old) = self.delete(&key)
                {
                    given.push((Given::Old(old.row), Op::Delete, row));
                }
                continue;
            }
            match self.set(key, all.row(row).owned(), chunk.times[row]) {
                None => given.push((Given::New(row), Op::Insert, row)),
                Some(old) if old.row.row() == all.row(row) => {}
                Some(old) => {
                    given.push((Given::Old(old.row), Op::UpdateBefore, row));
                    given.push((Given::New(row), Op::UpdateAfter, row));
                }
            }
        }
        if !given.is_empty() {
            out.give(self.gathered(&chunk, &all, &given)?);
        }
        Ok(())
    }

    fn tick(&mut self, now_ms: i64, out: &mut Output) -> Result<(), Fault> {
        self.now_ms = now_ms;
        let Some(ttl_ms) = self.ttl_ms.filter(|_| now_ms >= self.next_look_ms) else { return Ok(()) };
        self.next_look_ms = now_ms.saturating_add(ttl_ms / LOOKS_PER_LIFE);
        let mut over = Vec::new();
        for (key, newest) in &mut self.newest {
            if newest.changed_ms == 0 {
                // From before the first tick, or from a checkpoint: its life begins now.
                newest.changed_ms = now_ms;
            } else if now_ms.saturating_sub(newest.changed_ms) > ttl_ms {
                over.push(key.clone());
            }
        }
        let gone: Vec<Newest> = over.iter().filter_map(|key| self.delete(key)).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let kept = self.all_rows.convert_rows(gone.iter().map(|newest| newest.row.row())).map_err(arrow_fault)?;
        out.give(Chunk {
            batch: self.in_schema_order(kept, gone.len())?,
            times: gone.iter().map(|newest| newest.time).collect(),
            ops: Some(Int8Array::from(vec![Op::Delete as i8; gone.len()])),
            origins: None,
        });
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        let rows = self.newest.values().map(|newest| newest.row.row());
        let mut columns = self.all_rows.convert_rows(rows).map_err(arrow_fault)?;
        let times = self.newest.values().map(|newest| newest.time);
        columns.push(Arc::new(arrow::array::Int64Array::from_iter_values(times)));
        // Names of the source may come twice or be taken: positions say what a column is.
        let named = columns.into_iter().enumerate().map(|(index, column)| (format!("c{index}"), column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(named).map_err(arrow_fault)?;
        Ok(vec![StateTable { name: "rows".into(), batch, keys: self.keys }])
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        for table in tables {
            let columns = table.batch.columns();
            let Some((times, kept)) = columns.split_last().filter(|(_, kept)| kept.len() == self.order.len()) else {
                return Err(Fault::new(Blame::Operator, "the table had other columns then"));
            };
            let Some(times) = times.as_any().downcast_ref::<arrow::array::Int64Array>() else {
                return Err(Fault::new(Blame::Operator, "the table had no times then"));
            };
            let unfit = |error| Fault::new(Blame::Operator, format!("the table had other columns then: {error}"));
            let keys = self.key_rows.convert_columns(&kept[..self.keys]).map_err(unfit)?;
            let rows = self.all_rows.convert_columns(kept).map_err(unfit)?;
            for row in 0..table.batch.num_rows() {
                self.set(keys.row(row).owned(), rows.row(row).owned(), times.value(row));
            }
        }
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.bytes
    }

    fn state_rows(&self) -> usize {
        self.newest.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn chunk(rows: &[(&str, Option<i64>)]) -> Chunk {
        let values = Arc::new(Int64Array::from_iter(rows.iter().map(|(_, value)| *value)));
        let keys = Arc::new(StringArray::from_iter_values(rows.iter().map(|(key, _)| *key)));
        let columns = [("v", values as ArrayRef, true), ("k", keys as ArrayRef, true)];
        let ops = rows.iter().map(|(_, value)| if value.is_some() { Op::Insert } else { Op::Delete } as i8);
        Chunk {
            ops: Some(Int8Array::from_iter_values(ops)),
            ..Chunk::inserts(RecordBatch::try_from_iter_with_nullable(columns).unwrap(), vec![7; rows.len()].into())
        }
    }

    fn push(upsert: &mut Upsert, rows: &[(&str, Option<i64>)]) -> Vec<(Op, String, i64)> {
        let mut out = Output::default();
        upsert.push(0, chunk(rows), &mut out).unwrap();
        given(&out)
    }

    fn tick(upsert: &mut Upsert, now_ms: i64) -> Vec<(Op, String, i64)> {
        let mut out = Output::default();
        upsert.tick(now_ms, &mut out).unwrap();
        given(&out)
    }

    fn given(out: &Output) -> Vec<(Op, String, i64)> {
        let read = |chunk: &Chunk| {
            let (values, keys) = (chunk.batch.column(0), chunk.batch.column(1));
            (0..chunk.rows())
                .map(|row| {
                    let value = values.as_primitive::<Int64Type>().value(row);
                    (chunk.op(row), keys.as_string::<i32>().value(row).to_owned(), value)
                })
                .collect::<Vec<_>>()
        };
        out.chunks.iter().flat_map(read).collect()
    }

    #[test]
    fn a_row_that_did_not_change_for_its_time_to_live_is_deleted_and_comes_again_as_new() {
        let schema = chunk(&[]).batch.schema();
        let mut upsert = Upsert::new(Arc::clone(&schema), vec![1], Some(Duration::from_secs(10))).unwrap();
        tick(&mut upsert, 1_000);
        push(&mut upsert, &[("a", Some(1)), ("b", Some(2))]);
        assert_eq!(tick(&mut upsert, 8_000), []);
        push(&mut upsert, &[("b", Some(3))]);
        assert_eq!(tick(&mut upsert, 11_001), [(Op::Delete, "a".to_owned(), 1)]);
        assert_eq!(push(&mut upsert, &[("a", Some(4))]), [(Op::Insert, "a".to_owned(), 4)]);
        // After a restart a life begins anew.
        let mut second = Upsert::new(schema, vec![1], Some(Duration::from_secs(10))).unwrap();
        second.restore(upsert.snapshot().unwrap()).unwrap();
        assert_eq!(tick(&mut second, 60_000), []);
        assert_eq!(tick(&mut second, 70_001).len(), 2);
        assert_eq!((second.state_rows(), second.state_bytes()), (0, 0));
    }

    #[test]
    fn a_later_row_replaces_and_a_tombstone_deletes_also_after_a_restart() {
        let schema = chunk(&[]).batch.schema();
        let mut first = Upsert::new(Arc::clone(&schema), vec![1], None).unwrap();
        let given = push(&mut first, &[("a", Some(1)), ("b", Some(2)), ("a", Some(3)), ("b", Some(2)), ("z", None)]);
        let (before, after) = (Op::UpdateBefore, Op::UpdateAfter);
        let expected = [(Op::Insert, "a", 1), (Op::Insert, "b", 2), (before, "a", 1), (after, "a", 3)];
        assert_eq!(given, expected.map(|(op, key, value)| (op, key.to_owned(), value)));
        let bytes = first.state_bytes();

        let mut second = Upsert::new(schema, vec![1], None).unwrap();
        second.restore(first.snapshot().unwrap()).unwrap();
        assert_eq!((second.state_rows(), second.state_bytes()), (2, bytes));
        assert_eq!(push(&mut second, &[("a", None)]), [(Op::Delete, "a".to_owned(), 3)]);
        assert_eq!(push(&mut second, &[("b", None)]), [(Op::Delete, "b".to_owned(), 2)]);
        assert_eq!((second.state_rows(), second.state_bytes()), (0, 0));
    }
}
