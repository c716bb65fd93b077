//! A source read as a table: a later row of a key replaces the earlier one, a tombstone deletes it. It remembers the
//! newest row of each key and gives the changes.

use std::collections::HashMap;
use std::sync::Arc;

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
const ENTRY_BYTES: usize = 96;

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
}

/// The newest row of a key.
struct Newest {
    row: OwnedRow,
    time: i64,
}

/// A row of the output while it is gathered.
enum Given {
    /// A row of the input.
    New(usize),
    /// A row that was kept.
    Old(OwnedRow),
}

impl Upsert {
    /// Upserts by the columns `key`.
    ///
    /// # Errors
    /// A column type that cannot be kept as a row.
    pub fn new(schema: SchemaRef, key: Vec<usize>) -> Result<Self, Fault> {
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
        Ok(Self { schema, order, keys, key_rows, all_rows, newest: HashMap::new(), bytes: 0 })
    }

    fn columns(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        self.order.iter().map(|index| Arc::clone(batch.column(*index))).collect()
    }

    fn set(&mut self, key: OwnedRow, row: OwnedRow, time: i64) -> Option<Newest> {
        self.bytes += key.as_ref().len() + row.as_ref().len() + ENTRY_BYTES;
        let old = self.newest.insert(key.clone(), Newest { row, time });
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
    fn a_later_row_replaces_and_a_tombstone_deletes_also_after_a_restart() {
        let schema = chunk(&[]).batch.schema();
        let mut first = Upsert::new(Arc::clone(&schema), vec![1]).unwrap();
        let given = push(&mut first, &[("a", Some(1)), ("b", Some(2)), ("a", Some(3)), ("b", Some(2)), ("z", None)]);
        let (before, after) = (Op::UpdateBefore, Op::UpdateAfter);
        let expected = [(Op::Insert, "a", 1), (Op::Insert, "b", 2), (before, "a", 1), (after, "a", 3)];
        assert_eq!(given, expected.map(|(op, key, value)| (op, key.to_owned(), value)));
        let bytes = first.state_bytes();

        let mut second = Upsert::new(schema, vec![1]).unwrap();
        second.restore(first.snapshot().unwrap()).unwrap();
        assert_eq!((second.state_rows(), second.state_bytes()), (2, bytes));
        assert_eq!(push(&mut second, &[("a", None)]), [(Op::Delete, "a".to_owned(), 3)]);
        assert_eq!(push(&mut second, &[("b", None)]), [(Op::Delete, "b".to_owned(), 2)]);
        assert_eq!((second.state_rows(), second.state_bytes()), (0, 0));
    }
}
