//! Rows that an aggregate refused and that may still be taken back: they were never there, so nothing goes with them.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{ArrayRef, AsArray};
use arrow::row::{RowConverter, Rows as Encoded, SortField};

use super::failed;
use super::ordered::{each_of, multiset};
use super::prepared::Prepared;
use crate::core::fault::Fault;

/// Bytes of a row beyond its own, in maps.
const ENTRY_BYTES: usize = 64;

/// How often each row was refused, by its group.
#[derive(Default)]
pub struct Refused {
    encoding: Option<RowConverter>,
    held: HashMap<u32, BTreeMap<Box<[u8]>, i64>>,
    bytes: usize,
}

impl Refused {
    /// Whether nothing was refused that may be taken back.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether something of a group was.
    pub fn holds(&self, group: u32) -> bool {
        self.held.contains_key(&group)
    }

    /// Remembers rows, by their places.
    ///
    /// # Errors
    /// Arguments that cannot be told apart.
    pub fn note(&mut self, rows: &Prepared, groups: &[u32], places: &[usize]) -> Result<(), Fault> {
        let encoded = self.encoded(rows)?;
        places.iter().for_each(|row| self.put(groups[*row], encoded.row(*row).as_ref(), 1));
        Ok(())
    }

    /// Which of these rows, which are taken back, were there: those that were refused are forgotten.
    ///
    /// # Errors
    /// Arguments that cannot be told apart.
    pub fn settle(&mut self, rows: &Prepared, groups: &[u32]) -> Result<Vec<u32>, Fault> {
        let encoded = self.encoded(rows)?;
        let mut there = Vec::with_capacity(groups.len());
        for (row, group) in groups.iter().enumerate() {
            let bytes = encoded.row(row);
            if self.held.get(group).is_some_and(|held| held.contains_key(bytes.as_ref())) {
                self.put(*group, bytes.as_ref(), -1);
            } else {
                there.push(row as u32);
            }
        }
        Ok(there)
    }

    fn encoded(&mut self, rows: &Prepared) -> Result<Encoded, Fault> {
        let columns = rows.arguments();
        let encoding = match self.encoding.take() {
            Some(encoding) => encoding,
            None => {
                let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
                RowConverter::new(fields).map_err(|error| failed(&error))?
            }
        };
        self.encoding.insert(encoding).convert_columns(&columns).map_err(|error| failed(&error))
    }

    fn put(&mut self, group: u32, row: &[u8], by: i64) {
        let held = self.held.entry(group).or_default();
        match held.get_mut(row) {
            Some(count) => {
                *count += by;
                if *count == 0 {
                    held.remove(row);
                    self.bytes -= row.len() + ENTRY_BYTES;
                }
            }
            None => {
                held.insert(row.into(), by);
                self.bytes += row.len() + ENTRY_BYTES;
            }
        }
        if held.is_empty() {
            self.held.remove(&group);
        }
    }

    /// Forgets those of a group.
    pub fn clear(&mut self, group: u32) {
        if let Some(held) = self.held.remove(&group) {
            self.bytes -= held.keys().map(|row| row.len() + ENTRY_BYTES).sum::<usize>();
        }
    }

    /// The rows of groups, as a column.
    ///
    /// # Errors
    /// Arrow's, which are defects.
    pub fn column(&self, groups: &[u32]) -> Result<ArrayRef, Fault> {
        let none = BTreeMap::new();
        let of = |group: &u32| self.held.get(group).unwrap_or(&none);
        let column = multiset(groups.iter().map(|group| of(group).iter().map(|(row, count)| (&**row, *count))))?;
        column.into_iter().next().ok_or_else(|| failed(&"refused rows have no column"))
    }

    /// Adds what [`Self::column`] gave.
    ///
    /// # Errors
    /// Another column.
    pub fn restore(&mut self, column: &ArrayRef, groups: &[u32]) -> Result<(), Fault> {
        if column.as_list_opt::<i32>().is_none_or(|lists| lists.values().is_empty()) {
            return Ok(());
        }
        each_of(std::slice::from_ref(column), groups, |group, row, count| self.put(group, row, count))
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.bytes
    }
}
