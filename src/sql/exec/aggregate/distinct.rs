//! COUNT(DISTINCT x): the values of each group, each with how often it came, so that a row can be taken back. A result is
//! read without a copy of them.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use ahash::RandomState;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int64Type};
use arrow::row::{RowConverter, RowParser, Rows as EncodedRows, SortField};

use super::{GroupAccumulator, Rows, failed};
use crate::core::fault::Fault;

/// Bytes of a value in a table beyond its own: its count and its share of free places.
const ENTRY_BYTES: usize = 16;

/// Counts of the distinct values of a type.
///
/// # Errors
/// A type whose values cannot be told apart.
pub fn distinct(argument: &DataType) -> Result<Box<dyn GroupAccumulator>, Fault> {
    if *argument == DataType::Int64 {
        return Ok(Box::new(Distinct::new(Integers)));
    }
    Ok(Box::new(Distinct::new(Encoded::new(argument)?)))
}

/// How often each value came.
pub(super) type Table<Key> = HashMap<Key, i64, RandomState>;

/// How the values of a column become keys of a table.
pub(super) trait Coding: Send {
    type Key: Eq + Hash + Send;
    type Column;

    fn encode(&self, values: &ArrayRef) -> Result<Self::Column, Fault>;

    /// The count of the value of a row.
    fn count(column: &Self::Column, row: usize, table: &Table<Self::Key>) -> Option<i64>;

    /// Changes the count of the value of a row. Answers with the bytes that the table has more now.
    fn change(column: &Self::Column, row: usize, table: &mut Table<Self::Key>, by: i64) -> isize;

    /// The column of these keys.
    fn decode<'a>(&'a self, keys: impl Iterator<Item = &'a Self::Key>) -> Result<ArrayRef, Fault>
    where
        Self::Key: 'a;

    fn bytes(key: &Self::Key) -> usize;
}

pub(super) struct Integers;

impl Coding for Integers {
    type Key = i64;
    type Column = Int64Array;

    fn encode(&self, values: &ArrayRef) -> Result<Int64Array, Fault> {
        values.as_primitive_opt::<Int64Type>().cloned().ok_or_else(|| failed(&"its argument has another type"))
    }

    fn count(column: &Int64Array, row: usize, table: &Table<i64>) -> Option<i64> {
        table.get(&column.value(row)).copied()
    }

    fn change(column: &Int64Array, row: usize, table: &mut Table<i64>, by: i64) -> isize {
        change(table, &column.value(row), by, size_of::<i64>(), |value| *value)
    }

    fn decode<'a>(&'a self, keys: impl Iterator<Item = &'a i64>) -> Result<ArrayRef, Fault> {
        Ok(Arc::new(keys.copied().collect::<Int64Array>()))
    }

    fn bytes(_: &i64) -> usize {
        size_of::<i64>() + ENTRY_BYTES
    }
}

pub(super) struct Encoded {
    encoding: RowConverter,
    parser: RowParser,
    data_type: DataType,
}

impl Encoded {
    pub fn new(argument: &DataType) -> Result<Self, Fault> {
        let encoding = RowConverter::new(vec![SortField::new(argument.clone())]).map_err(|error| failed(&error))?;
        Ok(Self { parser: encoding.parser(), encoding, data_type: argument.clone() })
    }
}

impl Coding for Encoded {
    type Key = Box<[u8]>;
    type Column = EncodedRows;

    fn encode(&self, values: &ArrayRef) -> Result<EncodedRows, Fault> {
        self.encoding.convert_columns(std::slice::from_ref(values)).map_err(|error| failed(&error))
    }

    fn count(column: &EncodedRows, row: usize, table: &Table<Box<[u8]>>) -> Option<i64> {
        let row = column.row(row);
        let bytes: &[u8] = row.as_ref();
        table.get(bytes).copied()
    }

    fn change(column: &EncodedRows, row: usize, table: &mut Table<Box<[u8]>>, by: i64) -> isize {
        let row = column.row(row);
        let bytes: &[u8] = row.as_ref();
        change(table, bytes, by, size_of::<Box<[u8]>>() + bytes.len(), |bytes| bytes.into())
    }

    fn decode<'a>(&'a self, keys: impl Iterator<Item = &'a Box<[u8]>>) -> Result<ArrayRef, Fault> {
        let rows = keys.map(|key| self.parser.parse(key));
        let columns = self.encoding.convert_rows(rows).map_err(|error| failed(&error))?;
        Ok(columns.into_iter().next().unwrap_or_else(|| arrow::array::new_empty_array(&self.data_type)))
    }

    fn bytes(key: &Box<[u8]>) -> usize {
        size_of::<Box<[u8]>>() + key.len() + ENTRY_BYTES
    }
}

fn change<Key, Probe>(
    table: &mut Table<Key>,
    probe: &Probe,
    by: i64,
    bytes: usize,
    own: impl FnOnce(&Probe) -> Key,
) -> isize
where
    Key: Borrow<Probe> + Eq + Hash,
    Probe: Eq + Hash + ?Sized,
{
    let bytes = (bytes + ENTRY_BYTES) as isize;
    match table.get_mut(probe) {
        Some(count) => {
            *count += by;
            if *count != 0 {
                return 0;
            }
            table.remove(probe);
            -bytes
        }
        None => {
            table.insert(own(probe), by);
            bytes
        }
    }
}

/// A table with the seeds of the other tables of keys: a run is like another.
pub(super) fn empty<Key>() -> Table<Key> {
    HashMap::with_hasher(RandomState::with_seeds(1, 2, 3, 4))
}

pub(super) struct Distinct<C: Coding> {
    coding: C,
    held: Vec<Table<C::Key>>,
    bytes: usize,
}

impl<C: Coding> Distinct<C> {
    /// No groups yet.
    pub fn new(coding: C) -> Self {
        Self { coding, held: Vec::new(), bytes: 0 }
    }

    /// The values of a group.
    pub fn table(&self, group: u32) -> &Table<C::Key> {
        &self.held[group as usize]
    }

    /// The values of rows.
    pub fn column(&self, rows: &Rows<'_>) -> Result<C::Column, Fault> {
        self.coding.encode(rows.values.first().ok_or_else(|| failed(&"DISTINCT has no argument"))?)
    }

    /// Changes how often values are there, and says for which rows one came in or went out.
    pub fn change(
        &mut self,
        rows: &Rows<'_>,
        by: impl Fn(usize) -> i64,
        mut crossed: impl FnMut(usize),
    ) -> Result<(), Fault> {
        let nulls = rows.values.first().and_then(|values| values.logical_nulls());
        let column = self.column(rows)?;
        for (row, group) in rows.groups.iter().enumerate() {
            if rows.counts(row) && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                let more = C::change(&column, row, &mut self.held[*group as usize], by(row));
                self.bytes = self.bytes.saturating_add_signed(more);
                if more != 0 {
                    crossed(row);
                }
            }
        }
        Ok(())
    }
}

impl<C: Coding> GroupAccumulator for Distinct<C> {
    fn grow(&mut self, groups: usize) {
        self.held.resize_with(groups, empty);
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.change(rows, |_| 1, |_| {})
    }

    fn retract(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.change(rows, |_| -1, |_| {})
    }

    fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault> {
        Ok(Arc::new(groups.iter().map(|group| self.held[*group as usize].len() as i64).collect::<Int64Array>()))
    }

    fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        let tables = || groups.iter().map(|group| &self.held[*group as usize]);
        let lengths = || OffsetBuffer::<i32>::from_lengths(tables().map(HashMap::len));
        let list = |values: ArrayRef| -> ArrayRef {
            let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
            Arc::new(ListArray::new(field, lengths(), values, None))
        };
        let values = self.coding.decode(tables().flat_map(HashMap::keys))?;
        let counts: Int64Array = tables().flat_map(HashMap::values).copied().collect();
        Ok(vec![list(values), list(Arc::new(counts))])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault> {
        let list = |index: usize| {
            let state = states.get(index).and_then(|state| state.as_list_opt::<i32>());
            state.ok_or_else(|| failed(&"its state is no COUNT(DISTINCT)"))
        };
        let (values, counts) = (list(0)?, list(1)?);
        for (row, group) in groups.iter().enumerate() {
            let (values, counts) = (values.value(row), counts.value(row));
            let counts = counts.as_primitive_opt::<Int64Type>().ok_or_else(|| failed(&"its state has no counts"))?;
            let groups = vec![*group; values.len()];
            self.change(&Rows { values: &[values], groups: &groups, filter: None }, |row| counts.value(row), |_| {})?;
        }
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        let table = std::mem::replace(&mut self.held[group as usize], empty());
        self.bytes = self.bytes.saturating_sub(table.keys().map(C::bytes).sum());
    }

    fn size(&self) -> usize {
        self.held.capacity() * size_of::<Table<C::Key>>() + self.bytes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::StringArray;

    use super::*;

    fn counted(values: ArrayRef, back: ArrayRef) {
        let mut one = distinct(values.data_type()).unwrap();
        one.grow(2);
        let groups: Vec<u32> = vec![0, 0, 1, 1, 0];
        let update = |to: &mut Box<dyn GroupAccumulator>| {
            to.update(&Rows { values: std::slice::from_ref(&values), groups: &groups, filter: None })
        };
        update(&mut one).unwrap();
        assert_eq!(one.evaluate(&[0, 1]).unwrap().as_primitive::<Int64Type>().values(), &[2, 1]);
        let state = one.state(&[0, 1]).unwrap();
        let mut other = distinct(values.data_type()).unwrap();
        other.grow(3);
        other.merge(&state, &[2, 1]).unwrap();
        assert_eq!(other.evaluate(&[0, 1, 2]).unwrap().as_primitive::<Int64Type>().values(), &[0, 1, 2]);
        // `a` came twice to the group: one of them may go.
        for left in [2, 1] {
            let rows = Rows { values: std::slice::from_ref(&back), groups: &[2], filter: None };
            other.retract(&rows).unwrap();
            assert_eq!(other.evaluate(&[2]).unwrap().as_primitive::<Int64Type>().values(), &[left]);
        }
        (0..3).for_each(|group| other.clear(group));
        assert_eq!(other.evaluate(&[0, 1, 2]).unwrap().as_primitive::<Int64Type>().values(), &[0, 0, 0]);
    }

    #[test]
    fn values_count_once_a_group_and_are_gone_when_as_many_were_taken_back_as_came() {
        counted(
            Arc::new(Int64Array::from(vec![Some(7), Some(8), Some(7), None, Some(7)])),
            Arc::new(Int64Array::from(vec![7])),
        );
        counted(
            Arc::new(StringArray::from(vec![Some("a"), Some("b"), Some("a"), None, Some("a")])),
            Arc::new(StringArray::from(vec!["a"])),
        );
    }
}
