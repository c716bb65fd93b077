//! The decoder: one object a record. It reads each record once; what a bad one left behind is taken back.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::object::Object;
use super::scan::{Bad, Cursor};
use crate::core::fault::{Blame, Fault};
use crate::formats::contract::{Decoded, Decoder, Malformed, no_batch};
use crate::formats::types;

/// Reads JSON objects. Fields of the record that are no columns are passed over; columns that are no fields are NULL.
pub struct JsonDecoder {
    schema: SchemaRef,
    object: Object,
    pushed: u32,
    /// Which record each row came from, once that is not obvious.
    sources: Option<Vec<u32>>,
    bad: Vec<Malformed>,
}

impl JsonDecoder {
    /// A decoder into these columns.
    ///
    /// # Errors
    /// A column of a type that JSON cannot be read into.
    pub fn new(schema: SchemaRef) -> Result<Self, Fault> {
        let Some(object) = Object::of(schema.fields()) else {
            let unread = schema.fields().iter().find(|field| super::column::Column::of(field.data_type()).is_none());
            let column =
                unread.map_or(String::new(), |field| format!("`{}` {}", field.name(), types::name(field.data_type())));
            return Err(Fault::new(Blame::Operator, format!("JSON cannot be read into the column {column}")));
        };
        Ok(Self { schema, object, pushed: 0, sources: None, bad: Vec::new() })
    }

    /// Rows since the last `finish`.
    pub fn rows(&self) -> usize {
        self.object.rows()
    }

    /// Adds one record, and says at once whether it became a row.
    ///
    /// # Errors
    /// Why it did not; nothing of it is left.
    pub fn read(&mut self, value: &[u8]) -> Result<(), Bad> {
        let rows = self.object.rows();
        let outcome = match std::str::from_utf8(value) {
            Ok(text) => {
                let mut cursor = Cursor::new(text.trim_start_matches('\u{feff}').as_bytes());
                if cursor.peek() == b'{' {
                    self.object.read(&mut cursor).and_then(|()| cursor.end())
                } else {
                    Err(no_object(&mut cursor))
                }
            }
            Err(error) => Err(Bad::malformed(error.valid_up_to(), "the record is no UTF-8")),
        };
        if outcome.is_err() {
            self.object.truncate(rows);
        }
        outcome
    }

    /// Takes rows back until `rows` are left.
    pub fn take_back(&mut self, rows: usize) {
        self.object.truncate(rows);
    }

    /// The columns of all rows since the last call.
    ///
    /// # Errors
    /// Arrow's, which are defects of this program.
    pub fn batch(&mut self) -> Result<RecordBatch, Fault> {
        let options = RecordBatchOptions::new().with_row_count(Some(self.object.rows()));
        self.object
            .finish()
            .and_then(|columns| RecordBatch::try_new_with_options(self.schema.clone(), columns, &options))
            .map_err(no_batch)
    }

    fn note_gap(&mut self) {
        if self.sources.is_none() {
            self.sources = Some((0..u32::try_from(self.object.rows()).unwrap_or(u32::MAX)).collect());
        }
    }
}

#[cold]
fn no_object(cursor: &mut Cursor<'_>) -> Bad {
    let shown = cursor.shown();
    Bad { class: "malformed", message: format!("expected a JSON object, found {shown}"), path: Vec::new() }
}

impl Decoder for JsonDecoder {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn push(&mut self, value: Option<&[u8]>) -> bool {
        let bad = self.bad.len();
        match value.map(|value| self.read(value)) {
            Some(Ok(())) => {
                if let Some(sources) = &mut self.sources {
                    sources.push(self.pushed);
                }
            }
            Some(Err(bad)) => {
                self.note_gap();
                self.bad.push(Malformed { record: self.pushed, class: bad.class, message: bad.line() });
            }
            // A null value says that a key is gone; it is no row and nothing is wrong with it.
            None => self.note_gap(),
        }
        self.pushed += 1;
        self.bad.len() == bad
    }

    fn finish(&mut self) -> Result<Decoded, Fault> {
        let batch = self.batch()?;
        self.pushed = 0;
        Ok(Decoded { batch, sources: self.sources.take(), ops: None, bad: std::mem::take(&mut self.bad) })
    }
}
