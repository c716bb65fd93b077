//! CSV records to columns.

use arrow::datatypes::SchemaRef;
use memchr::{memchr, memchr_iter};

use super::Dialect;
use super::fields::field;
use crate::core::fault::{Blame, Fault};
use crate::formats::contract::{Decoded, Decoder, Malformed};
use crate::formats::json::column::{Column, batch};
use crate::formats::json::scan::Bad;
use crate::formats::types;

/// Where the field of a record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Into the column of this position.
    Column(usize),
    /// Nowhere: nobody asked for it.
    Nowhere,
}

/// Reads CSV records.
pub struct CsvDecoder {
    schema: SchemaRef,
    columns: Vec<Column>,
    targets: Vec<Target>,
    dialect: Dialect,
    /// A field whose quotes were taken off.
    scratch: Vec<u8>,
    rows: usize,
    pushed: u32,
    sources: Option<Vec<u32>>,
    bad: Vec<Malformed>,
}

impl CsvDecoder {
    /// A decoder of records whose fields are the columns in their order.
    ///
    /// # Errors
    /// A column of a type that text cannot be read into.
    pub fn new(schema: SchemaRef, dialect: Dialect) -> Result<Self, Fault> {
        let targets = (0..schema.fields().len()).map(Target::Column).collect();
        Self::with_targets(schema, targets, dialect)
    }

    /// A decoder of records whose fields go where `targets` says; columns without a field are NULL.
    ///
    /// # Errors
    /// As [`CsvDecoder::new`].
    pub fn with_targets(schema: SchemaRef, targets: Vec<Target>, dialect: Dialect) -> Result<Self, Fault> {
        let columns = schema
            .fields()
            .iter()
            .map(|field| {
                Column::of(field.data_type()).ok_or_else(|| {
                    let what = format!("CSV cannot be read into `{}` {}", field.name(), types::name(field.data_type()));
                    Fault::new(Blame::Operator, what)
                })
            })
            .collect::<Result<_, _>>()?;
        let scratch = Vec::new();
        Ok(Self { schema, columns, targets, dialect, scratch, rows: 0, pushed: 0, sources: None, bad: Vec::new() })
    }

    /// Rows since the last `finish`.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn read(&mut self, record: &[u8]) -> Result<(), Bad> {
        let mut place = 0;
        let outcome = self.read_fields(record, &mut place).and_then(|()| {
            if place == self.targets.len() {
                return Ok(());
            }
            Err(count(self.targets.len(), place))
        });
        let outcome = outcome.and_then(|()| {
            for (column, field) in self.columns.iter_mut().zip(self.schema.fields()) {
                if column.len() == self.rows {
                    column.null();
                }
                if !field.is_nullable() && column.is_last_null() {
                    let message = "the value is missing, and the column is NOT NULL".to_owned();
                    return Err(Bad { class: "missing_field", message, path: vec![field.name().clone()] });
                }
            }
            Ok(())
        });
        match outcome {
            Ok(()) => self.rows += 1,
            Err(_) => self.columns.iter_mut().for_each(|column| column.truncate(self.rows)),
        }
        outcome
    }

    fn read_fields(&mut self, record: &[u8], place: &mut usize) -> Result<(), Bad> {
        if memchr(self.dialect.quote, record).is_none() {
            let mut start = 0;
            for end in memchr_iter(self.dialect.delimiter, record).chain(std::iter::once(record.len())) {
                let is_null = record[start..end] == *self.dialect.null.as_bytes();
                put(&self.schema, &mut self.columns, &self.targets, *place, &record[start..end], is_null)?;
                *place += 1;
                start = end + 1;
            }
            return Ok(());
        }
        let mut at = 0;
        loop {
            let field = field(record, at, &self.dialect, &mut self.scratch)?;
            let is_null = !field.is_quoted && self.scratch == self.dialect.null.as_bytes();
            put(&self.schema, &mut self.columns, &self.targets, *place, &self.scratch, is_null)?;
            *place += 1;
            if field.end >= record.len() {
                return Ok(());
            }
            at = field.end + 1;
        }
    }
}

impl Decoder for CsvDecoder {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn push(&mut self, value: Option<&[u8]>) -> bool {
        let bad = self.bad.len();
        let read = value.map(|value| self.read(value));
        let is_gap = !matches!(read, Some(Ok(())));
        if is_gap && self.sources.is_none() {
            self.sources = Some((0..u32::try_from(self.rows).unwrap_or(u32::MAX)).collect());
        }
        match (read, &mut self.sources) {
            (Some(Ok(())), Some(sources)) => sources.push(self.pushed),
            (Some(Err(bad)), _) => {
                self.bad.push(Malformed { record: self.pushed, class: bad.class, message: bad.line() });
            }
            _ => {}
        }
        self.pushed += 1;
        self.bad.len() == bad
    }

    fn finish(&mut self) -> Result<Decoded, Fault> {
        let batch = batch(&self.schema, &mut self.columns, self.rows)?;
        (self.rows, self.pushed) = (0, 0);
        Ok(Decoded { batch, sources: self.sources.take(), ops: None, bad: std::mem::take(&mut self.bad) })
    }
}

#[inline]
fn put(
    schema: &SchemaRef,
    columns: &mut [Column],
    targets: &[Target],
    place: usize,
    text: &[u8],
    is_null: bool,
) -> Result<(), Bad> {
    match targets.get(place) {
        Some(Target::Column(index)) => {
            if is_null {
                columns[*index].null();
                return Ok(());
            }
            columns[*index].read_text(text).map_err(|bad| bad.within(schema.field(*index).name()))
        }
        Some(Target::Nowhere) => Ok(()),
        None => Err(count(targets.len(), place + 1)),
    }
}

#[cold]
fn count(expected: usize, found: usize) -> Bad {
    let found = if found > expected { format!("{found} or more") } else { found.to_string() };
    Bad { class: "malformed", message: format!("expected {expected} fields, found {found}"), path: Vec::new() }
}
