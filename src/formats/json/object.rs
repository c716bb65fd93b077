//! The fields of one object, found by the order they had in the record before: most records of a topic look alike.

use std::collections::HashMap;

use arrow::array::ArrayRef;
use arrow::datatypes::Fields;
use arrow::error::ArrowError;

use super::column::Column;
use super::scan::{Bad, Cursor};

/// Names whose place is remembered: objects with more have their other fields looked up.
const REMEMBERED_MAX: usize = 256;

/// Columns of an object's fields.
pub struct Object {
    fields: Fields,
    columns: Vec<Column>,
    /// By name; where no other name is the same but for case, also by the name in lower case.
    by_name: HashMap<Vec<u8>, usize>,
    /// What stood at each place of the record before, and whose value it was.
    remembered: Vec<(Vec<u8>, Option<usize>)>,
    rows: usize,
}

impl Object {
    /// The columns of fields; `None` where one cannot be read from JSON.
    pub fn of(fields: &Fields) -> Option<Self> {
        let columns = fields.iter().map(|field| Column::of(field.data_type())).collect::<Option<Vec<_>>>()?;
        let mut by_name = HashMap::new();
        for (index, field) in fields.iter().enumerate() {
            let lower = field.name().to_lowercase();
            if fields.iter().filter(|other| other.name().to_lowercase() == lower).count() == 1 {
                by_name.insert(lower.into_bytes(), index);
            }
        }
        for (index, field) in fields.iter().enumerate() {
            by_name.insert(field.name().clone().into_bytes(), index);
        }
        Some(Self { fields: fields.clone(), columns, by_name, remembered: Vec::new(), rows: 0 })
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Takes an object. After an error, `truncate` takes back what it left.
    ///
    /// # Errors
    /// It is no object, or a field's value is none of its type.
    pub fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
        cursor.take(b'{')?;
        let mut filled = 0;
        if !cursor.take_if(b'}') {
            let mut place = 0;
            loop {
                let key = cursor.string()?;
                cursor.take(b':')?;
                match self.find(place, key.bytes()) {
                    Some(index) => {
                        let column = &mut self.columns[index];
                        if column.len() > self.rows {
                            // The same name again: the last one counts, as everywhere.
                            column.truncate(self.rows);
                            filled -= 1;
                        }
                        column.read(cursor).map_err(|bad| bad.within(self.fields[index].name()))?;
                        filled += 1;
                    }
                    None => cursor.skip()?,
                }
                place += 1;
                if !cursor.take_if(b',') {
                    break;
                }
            }
            cursor.take(b'}')?;
        }
        if filled < self.columns.len() {
            for column in &mut self.columns {
                if column.len() == self.rows {
                    column.null();
                }
            }
        }
        self.refuse_nulls()?;
        self.rows += 1;
        Ok(())
    }

    /// A field that must not be NULL was NULL or missing.
    fn refuse_nulls(&self) -> Result<(), Bad> {
        for (field, column) in self.fields.iter().zip(&self.columns) {
            if !field.is_nullable() && column.is_last_null() {
                let message = "the value is missing or null, and the column is NOT NULL".to_owned();
                return Err(Bad { class: "missing_field", message, path: vec![field.name().clone()] });
            }
        }
        Ok(())
    }

    #[inline]
    fn find(&mut self, place: usize, key: &[u8]) -> Option<usize> {
        if let Some((name, index)) = self.remembered.get(place)
            && name == key
        {
            return *index;
        }
        self.look_up(place, key)
    }

    fn look_up(&mut self, place: usize, key: &[u8]) -> Option<usize> {
        let found = self.by_name.get(key).copied().or_else(|| {
            let lower = String::from_utf8_lossy(key).to_lowercase();
            self.by_name.get(lower.as_bytes()).copied()
        });
        if place < self.remembered.len() {
            self.remembered[place] = (key.to_vec(), found);
        } else if place < REMEMBERED_MAX && place == self.remembered.len() {
            self.remembered.push((key.to_vec(), found));
        }
        found
    }

    /// Adds a row of NULLs.
    pub fn null(&mut self) {
        for column in &mut self.columns {
            column.null();
        }
        self.rows += 1;
    }

    /// Forgets everything after the first `rows`.
    pub fn truncate(&mut self, rows: usize) {
        for column in &mut self.columns {
            column.truncate(rows);
        }
        self.rows = self.rows.min(rows);
    }

    /// The arrays of all columns, and no row is left.
    ///
    /// # Errors
    /// Arrow's, which are defects of this program.
    pub fn finish(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        self.rows = 0;
        self.columns.iter_mut().map(Column::finish).collect()
    }
}
