//! Keys of records: one column as its text, several as a JSON object or with pipes between them, in both directions.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;

use crate::connectors::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::formats::json::column::Column;
use crate::formats::json::scan::Bad;
use crate::formats::json::{JsonDecoder, PlainWriter, RowWriter};
use crate::formats::types;

/// How a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyFormat {
    Text,
    Json,
    Pipe,
}

impl KeyFormat {
    /// As the options say; text for one column, JSON for several.
    pub fn of(options: &Options, columns: usize) -> Result<Self, Fault> {
        match options.get("key.format").map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Ok(Self::Json),
            Some("pipe") => Ok(Self::Pipe),
            Some(_) if columns > 1 => Err(options
                .fault("key.format", format!("a key of {columns} columns is no text"))
                .next("use `json` or `pipe`")),
            Some(_) => Ok(Self::Text),
            None if columns > 1 => Ok(Self::Json),
            None => Ok(Self::Text),
        }
    }
}

/// The keys of the rows of one batch, written.
#[derive(Default)]
pub(super) struct Keys {
    bytes: Vec<u8>,
    /// Where each key ends; `None` where a row has none.
    ends: Vec<Option<usize>>,
    starts: Vec<usize>,
}

impl Keys {
    /// Writes the keys of a batch that holds the key columns alone.
    pub fn of(keys: &RecordBatch, format: KeyFormat) -> Result<Self, Fault> {
        let writer = KeyWriter::of(keys, format)?;
        let mut made = Self::default();
        for row in 0..keys.num_rows() {
            made.starts.push(made.bytes.len());
            let has_key = writer.write(row, &mut made.bytes);
            made.ends.push(has_key.then_some(made.bytes.len()));
        }
        Ok(made)
    }

    /// The key of a row.
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        let end = (*self.ends.get(row)?)?;
        Some(&self.bytes[self.starts[row]..end])
    }
}

enum KeyWriter<'b> {
    None,
    Plain(Vec<PlainWriter<'b>>),
    Json(RowWriter<'b>),
}

impl<'b> KeyWriter<'b> {
    fn of(keys: &'b RecordBatch, format: KeyFormat) -> Result<Self, Fault> {
        if keys.num_columns() == 0 {
            return Ok(Self::None);
        }
        Ok(match format {
            KeyFormat::Json => Self::Json(RowWriter::of(keys)?),
            KeyFormat::Text | KeyFormat::Pipe => {
                Self::Plain(keys.columns().iter().map(PlainWriter::of).collect::<Result<_, _>>()?)
            }
        })
    }

    /// The key of a row behind `out`; `false` where it has none.
    fn write(&self, row: usize, out: &mut Vec<u8>) -> bool {
        match self {
            Self::None => false,
            Self::Json(writer) => {
                writer.write(row, out);
                true
            }
            Self::Plain(columns) => {
                if columns.iter().all(|column| column.is_null(row)) {
                    return false;
                }
                for (index, column) in columns.iter().enumerate() {
                    if index > 0 {
                        out.push(b'|');
                    }
                    if !column.is_null(row) {
                        column.write(row, out);
                    }
                }
                true
            }
        }
    }
}

/// Reads keys into columns.
pub(super) struct KeyDecoder {
    format: KeyFormat,
    columns: Vec<Column>,
    names: Vec<String>,
    json: JsonDecoder,
    rows: usize,
}

impl KeyDecoder {
    /// A decoder into these columns.
    pub fn new(schema: &SchemaRef, format: KeyFormat) -> Result<Self, Fault> {
        let columns = schema.fields().iter().map(|field| {
            Column::of(field.data_type()).ok_or_else(|| {
                let what = format!("a key cannot be read into `{}` {}", field.name(), types::name(field.data_type()));
                Fault::new(Blame::Operator, what)
            })
        });
        Ok(Self {
            format,
            columns: columns.collect::<Result<_, _>>()?,
            names: schema.fields().iter().map(|field| field.name().clone()).collect(),
            json: JsonDecoder::new(schema.clone())?,
            rows: 0,
        })
    }

    /// Adds a key. A key of JSON is taken as such also where text was expected: both are common.
    pub fn push(&mut self, key: Option<&[u8]>) -> Result<(), Bad> {
        let outcome = self.read(key.unwrap_or_default(), key.is_none());
        match outcome {
            Ok(()) => self.rows += 1,
            Err(_) => {
                self.columns.iter_mut().for_each(|column| column.truncate(self.rows));
                self.json.take_back(self.rows);
            }
        }
        outcome.map_err(|bad| bad.within("_key"))
    }

    fn read(&mut self, key: &[u8], is_null: bool) -> Result<(), Bad> {
        if self.format == KeyFormat::Json {
            return if is_null { self.json.read(b"{}") } else { self.json.read(key) };
        }
        let parts: Vec<&[u8]> = match self.format {
            KeyFormat::Pipe => key.split(|byte| *byte == b'|').collect(),
            _ => vec![key],
        };
        if !is_null && parts.len() != self.columns.len() {
            let message = format!("expected {} parts, found {}", self.columns.len(), parts.len());
            return Err(Bad { class: "malformed", message, path: Vec::new() });
        }
        for (index, column) in self.columns.iter_mut().enumerate() {
            match parts.get(index).filter(|part| !is_null && (!part.is_empty() || self.format != KeyFormat::Pipe)) {
                // A JSON serialiser writes a text key with quotes.
                Some([b'"', text @ .., b'"']) if !text.contains(&b'\\') => column.read_text(text),
                Some(text) => column.read_text(text),
                None => {
                    column.null();
                    Ok(())
                }
            }
            .map_err(|bad| bad.within(&self.names[index]))?;
        }
        Ok(())
    }

    /// The columns of all keys since the last call.
    pub fn finish(&mut self) -> Result<Vec<ArrayRef>, Fault> {
        self.rows = 0;
        if self.format == KeyFormat::Json {
            return Ok(self.json.batch()?.columns().to_vec());
        }
        let defect = |error: arrow::error::ArrowError| Fault::new(Blame::Program, format!("keys: {error}"));
        self.columns.iter_mut().map(Column::finish).collect::<Result<_, _>>().map_err(defect)
    }
}
