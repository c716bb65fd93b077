//! MIN and MAX of anything that can be ordered: the one value where rows only come, all values where they go again.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, ListArray, StructArray};
use arrow::datatypes::DataType;
use arrow::row::{OwnedRow, RowConverter, RowParser, SortField};

use super::{GroupAccumulator, Rows, failed};
use crate::core::fault::Fault;

/// Bytes of a value beyond its own, in a map.
const ENTRY_BYTES: usize = 48;

/// One value a group, of a type without fixed width.
pub struct Kept {
    values: RowConverter,
    largest: bool,
    held: Vec<Option<OwnedRow>>,
    bytes: usize,
}

impl Kept {
    /// No groups yet.
    ///
    /// # Errors
    /// A type that has no order.
    pub fn new(data_type: &DataType, largest: bool) -> Result<Self, Fault> {
        Ok(Self { values: converter(data_type)?, largest, held: Vec::new(), bytes: 0 })
    }

    fn take(&mut self, values: &ArrayRef, groups: &[u32], counts: impl Fn(usize) -> bool) -> Result<(), Fault> {
        let rows = self.values.convert_columns(std::slice::from_ref(values)).map_err(|error| failed(&error))?;
        for (row, group) in groups.iter().enumerate() {
            if values.is_null(row) || !counts(row) {
                continue;
            }
            let held = &mut self.held[*group as usize];
            let value = rows.row(row);
            let wins =
                held.as_ref().is_none_or(|held| if self.largest { value > held.row() } else { value < held.row() });
            if wins {
                let before = held.as_ref().map_or(0, |held| held.as_ref().len());
                self.bytes = self.bytes + value.as_ref().len() - before;
                *held = Some(value.owned());
            }
        }
        Ok(())
    }
}

impl GroupAccumulator for Kept {
    fn grow(&mut self, groups: usize) {
        self.held.resize(groups, None);
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        let values = rows.values.first().ok_or_else(|| failed(&"it has no argument"))?;
        self.take(values, rows.groups, |row| rows.counts(row))
    }

    fn retract(&mut self, _: &Rows<'_>) -> Result<(), Fault> {
        Err(failed(&"rows cannot be taken back from a MIN or MAX that was told they only come"))
    }

    fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault> {
        let held = groups.iter().map(|group| self.held[*group as usize].clone());
        column(&self.values, held)
    }

    fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        Ok(vec![self.evaluate(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault> {
        let held = states.first().ok_or_else(|| failed(&"its state is empty"))?;
        self.take(held, groups, |_| true)
    }

    fn clear(&mut self, group: u32) {
        if let Some(held) = self.held[group as usize].take() {
            self.bytes -= held.as_ref().len();
        }
    }

    fn size(&self) -> usize {
        self.held.capacity() * size_of::<Option<OwnedRow>>() + self.bytes
    }
}

/// All values a group with how often each is there.
pub struct Ordered {
    values: RowConverter,
    parser: RowParser,
    largest: bool,
    held: Vec<BTreeMap<Box<[u8]>, i64>>,
    bytes: usize,
}

impl Ordered {
    /// No groups yet.
    ///
    /// # Errors
    /// A type that has no order.
    pub fn new(data_type: &DataType, largest: bool) -> Result<Self, Fault> {
        let values = converter(data_type)?;
        Ok(Self { parser: values.parser(), values, largest, held: Vec::new(), bytes: 0 })
    }

    fn add(&mut self, rows: &Rows<'_>, by: i64) -> Result<(), Fault> {
        let values = rows.values.first().ok_or_else(|| failed(&"it has no argument"))?;
        let encoded = self.values.convert_columns(std::slice::from_ref(values)).map_err(|error| failed(&error))?;
        for (row, group) in rows.groups.iter().enumerate() {
            if !values.is_null(row) && rows.counts(row) {
                self.put(*group, encoded.row(row).as_ref(), by);
            }
        }
        Ok(())
    }

    fn put(&mut self, group: u32, value: &[u8], by: i64) {
        let held = &mut self.held[group as usize];
        match held.get_mut(value) {
            Some(count) => {
                *count += by;
                if *count == 0 {
                    held.remove(value);
                    self.bytes -= value.len() + ENTRY_BYTES;
                }
            }
            // A value taken back before it came stands at -1 until it does: changes may be merged in any order.
            None => {
                held.insert(value.into(), by);
                self.bytes += value.len() + ENTRY_BYTES;
            }
        }
    }
}

impl GroupAccumulator for Ordered {
    fn grow(&mut self, groups: usize) {
        self.held.resize_with(groups, BTreeMap::new);
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.add(rows, 1)
    }

    fn retract(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.add(rows, -1)
    }

    fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault> {
        #[allow(clippy::borrowed_box)] // what a map's iterator gives
        let there = |(value, count): (&Box<[u8]>, &i64)| (*count > 0).then(|| self.parser.parse(value).owned());
        let extremes = groups.iter().map(|group| {
            let held = &self.held[*group as usize];
            if self.largest { held.iter().rev().find_map(there) } else { held.iter().find_map(there) }
        });
        column(&self.values, extremes)
    }

    fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        multiset(groups.iter().map(|group| self.held[*group as usize].iter().map(|(value, count)| (&**value, *count))))
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault> {
        each_of(states, groups, |group, value, count| self.put(group, value, count))
    }

    fn clear(&mut self, group: u32) {
        let held = std::mem::take(&mut self.held[group as usize]);
        self.bytes -= held.keys().map(|value| value.len() + ENTRY_BYTES).sum::<usize>();
    }

    fn size(&self) -> usize {
        self.held.capacity() * size_of::<BTreeMap<Box<[u8]>, i64>>() + self.bytes
    }
}

fn converter(data_type: &DataType) -> Result<RowConverter, Fault> {
    RowConverter::new(vec![SortField::new(data_type.clone())]).map_err(|error| failed(&error))
}

/// Encoded values as one column, `None` as NULL.
fn column(values: &RowConverter, rows: impl Iterator<Item = Option<OwnedRow>>) -> Result<ArrayRef, Fault> {
    let rows: Vec<Option<OwnedRow>> = rows.collect();
    let there: Vec<_> = rows.iter().flatten().map(OwnedRow::row).collect();
    let dense = values.convert_rows(there).map_err(|error| failed(&error))?;
    let dense = dense.into_iter().next().ok_or_else(|| failed(&"it has no column"))?;
    let mut next = 0;
    let places: arrow::array::UInt32Array = rows
        .iter()
        .map(|row| {
            row.as_ref().map(|_| {
                next += 1;
                next - 1
            })
        })
        .collect();
    arrow::compute::take(&dense, &places, None).map_err(|error| failed(&error))
}

/// Multisets as one column: for each group a list of (value as bytes, how often).
pub fn multiset<'a, I>(groups: impl Iterator<Item = I>) -> Result<Vec<ArrayRef>, Fault>
where
    I: Iterator<Item = (&'a [u8], i64)>,
{
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::{Field, Fields};
    let (mut values, mut counts, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for group in groups {
        let before = values.len();
        for (value, count) in group {
            values.push(value);
            counts.push(count);
        }
        lengths.push(values.len() - before);
    }
    let fields =
        Fields::from(vec![Field::new("value", DataType::Binary, false), Field::new("count", DataType::Int64, false)]);
    let values: ArrayRef = std::sync::Arc::new(BinaryArray::from_iter_values(values));
    let counts: ArrayRef = std::sync::Arc::new(arrow::array::Int64Array::from(counts));
    let entries = StructArray::try_new(fields.clone(), vec![values, counts], None).map_err(|error| failed(&error))?;
    let item = Field::new("item", DataType::Struct(fields), false).into();
    let list = ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), std::sync::Arc::new(entries), None);
    Ok(vec![std::sync::Arc::new(list.map_err(|error| failed(&error))?)])
}

/// Reads what [`multiset`] wrote.
pub fn each_of(states: &[ArrayRef], groups: &[u32], mut put: impl FnMut(u32, &[u8], i64)) -> Result<(), Fault> {
    let wrong = || failed(&"its state is no multiset");
    let lists = states.first().and_then(|state| state.as_list_opt::<i32>()).ok_or_else(wrong)?;
    let entries = lists.values().as_struct_opt().ok_or_else(wrong)?;
    let values = entries.column(0).as_binary_opt::<i32>().ok_or_else(wrong)?;
    let counts = entries.column(1).as_primitive_opt::<arrow::datatypes::Int64Type>().ok_or_else(wrong)?;
    for (row, group) in groups.iter().enumerate() {
        let (start, end) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
        for entry in start..end {
            put(*group, values.value(entry), counts.value(entry));
        }
    }
    Ok(())
}
