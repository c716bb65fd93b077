//! CSV records to columns and rows to CSV (RFC 4180, any one-byte delimiter and quote). One record at a time: whoever
//! holds the file finds where records end.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use memchr::{memchr, memchr_iter};

use super::contract::{Decoded, Decoder, Encoded, Encoder, Malformed};
use super::json::PlainWriter;
use super::json::column::Column;
use super::json::scan::Bad;
use super::types;
use crate::core::fault::{Blame, Fault};

/// How CSV is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Between fields.
    pub delimiter: u8,
    /// Around a field that holds a delimiter, a quote or a line's end; doubled within it.
    pub quote: u8,
    /// What stands for NULL where it is not quoted.
    pub null: String,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"', null: String::new() }
    }
}

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

/// A field: where it ends (the delimiter, or the record's end) and whether it had quotes.
struct FieldEnd {
    end: usize,
    is_quoted: bool,
}

/// The text of the field at `at` into `text`, its quotes resolved.
fn field(record: &[u8], at: usize, dialect: &Dialect, text: &mut Vec<u8>) -> Result<FieldEnd, Bad> {
    text.clear();
    let rest = &record[at.min(record.len())..];
    if rest.first() != Some(&dialect.quote) {
        let length = memchr(dialect.delimiter, rest).unwrap_or(rest.len());
        text.extend_from_slice(&rest[..length]);
        return Ok(FieldEnd { end: at + length, is_quoted: false });
    }
    let mut from = 1;
    loop {
        let Some(length) = memchr(dialect.quote, &rest[from..]) else {
            return Err(Bad::malformed(at, "a quote without its end"));
        };
        text.extend_from_slice(&rest[from..from + length]);
        let after = from + length + 1;
        match rest.get(after) {
            Some(byte) if *byte == dialect.quote => {
                text.push(dialect.quote);
                from = after + 1;
            }
            Some(byte) if *byte == dialect.delimiter => return Ok(FieldEnd { end: at + after, is_quoted: true }),
            None => return Ok(FieldEnd { end: at + after, is_quoted: true }),
            Some(_) => return Err(Bad::malformed(at + after, "text behind a closing quote")),
        }
    }
}

/// The fields of one record as texts, for headers and samples; whether each was quoted.
///
/// # Errors
/// A quote without its end, or text that is no UTF-8.
pub fn split(record: &[u8], dialect: &Dialect) -> Result<Vec<(String, bool)>, Bad> {
    let (mut fields, mut at, mut text) = (Vec::new(), 0, Vec::new());
    loop {
        let field = field(record, at, dialect, &mut text)?;
        let text = String::from_utf8(text.clone()).map_err(|_| Bad::malformed(at, "the record is no UTF-8"))?;
        fields.push((text, field.is_quoted));
        if field.end >= record.len() {
            return Ok(fields);
        }
        at = field.end + 1;
    }
}

/// A batch of what columns hold.
///
/// # Errors
/// Arrow's, which are defects of this program.
pub(super) fn batch(schema: &SchemaRef, columns: &mut [Column], rows: usize) -> Result<RecordBatch, Fault> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    columns
        .iter_mut()
        .map(Column::finish)
        .collect::<Result<Vec<_>, _>>()
        .and_then(|columns| RecordBatch::try_new_with_options(schema.clone(), columns, &options))
        .map_err(|error| Fault::new(Blame::Program, format!("columns do not make a batch: {error}")))
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

/// Writes rows as CSV, without line ends and without a header.
#[derive(Debug, Default)]
pub struct CsvEncoder {
    dialect: Dialect,
}

impl CsvEncoder {
    /// An encoder of a dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect }
    }

    /// The names of the columns as one record.
    pub fn header(&self, schema: &SchemaRef) -> Vec<u8> {
        let mut record = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                record.push(self.dialect.delimiter);
            }
            let start = record.len();
            record.extend_from_slice(field.name().as_bytes());
            quote_from(&mut record, start, &self.dialect);
        }
        record
    }
}

impl Encoder for CsvEncoder {
    fn encode(&mut self, batch: &RecordBatch) -> Result<Encoded, Fault> {
        let writers = batch.columns().iter().map(PlainWriter::of).collect::<Result<Vec<_>, _>>()?;
        let mut encoded = Encoded::default();
        let out = &mut encoded.bytes;
        for row in 0..batch.num_rows() {
            for (index, writer) in writers.iter().enumerate() {
                if index > 0 {
                    out.push(self.dialect.delimiter);
                }
                if writer.is_null(row) {
                    out.extend_from_slice(self.dialect.null.as_bytes());
                    continue;
                }
                let start = out.len();
                writer.write(row, out);
                quote_from(out, start, &self.dialect);
            }
            encoded.ends.push(out.len());
        }
        Ok(encoded)
    }
}

/// Puts quotes around what was written from `start` where it needs them, and where it would be read as NULL.
fn quote_from(out: &mut Vec<u8>, start: usize, dialect: &Dialect) {
    let text = &out[start..];
    let needs = |byte: &u8| *byte == dialect.delimiter || *byte == dialect.quote || matches!(byte, b'\n' | b'\r');
    if !text.iter().any(needs) && text != dialect.null.as_bytes() {
        return;
    }
    let text = out.split_off(start);
    out.push(dialect.quote);
    for byte in text {
        if byte == dialect.quote {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(dialect.quote);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::datatypes::{Field, Schema};

    use super::*;

    fn schema() -> SchemaRef {
        let columns = [("id", "BIGINT"), ("name", "VARCHAR"), ("amount", "DECIMAL(10,2)"), ("at", "TIMESTAMP(3)")];
        let field = |(name, data_type): (&str, &str)| Field::new(name, types::parse(data_type).unwrap(), name != "id");
        Arc::new(Schema::new(columns.map(field).to_vec()))
    }

    fn lines(encoded: &Encoded) -> Vec<String> {
        let mut start = 0;
        let line = |end: &usize| {
            let text = String::from_utf8(encoded.bytes[start..*end].to_vec()).unwrap();
            start = *end;
            text
        };
        encoded.ends.iter().map(line).collect()
    }

    #[test]
    fn records_go_in_and_come_out_the_same() {
        let records = [
            "1,plain,12.50,2024-01-15T10:30:00.000Z",
            "2,\"with, comma and \"\"quotes\"\"\",-0.01,",
            "3,,,",
            "4,\"\",1.00,1970-01-01T00:00:00.001Z",
            "5,\"two\nlines\",0.00,",
        ];
        let mut decoder = CsvDecoder::new(schema(), Dialect::default()).unwrap();
        for record in &records {
            decoder.push(Some(record.as_bytes()));
        }
        let decoded = decoder.finish().unwrap();
        assert_eq!(decoded.bad, []);
        let mut encoder = CsvEncoder::default();
        assert_eq!(lines(&encoder.encode(&decoded.batch).unwrap()), records);
        assert_eq!(encoder.header(&schema()), b"id,name,amount,at");
    }

    #[test]
    fn a_bad_record_is_named_and_its_neighbours_stay() {
        let records = ["1,a,1.00,", "two,b,2.00,", "3,c", "4,d,1.005,", "5,\"e,1,2", ",f,1,", "7,g,7,,8", "8,h,8,"];
        let mut decoder = CsvDecoder::new(schema(), Dialect::default()).unwrap();
        for record in &records {
            decoder.push(Some(record.as_bytes()));
        }
        let decoded = decoder.finish().unwrap();
        let said: Vec<_> = decoded.bad.iter().map(|bad| (bad.record, bad.class, bad.message.as_str())).collect();
        assert_eq!(
            said,
            [
                (1, "type_mismatch", "`id`: expected BIGINT, found `two`"),
                (2, "malformed", "expected 4 fields, found 2"),
                (3, "overflow", "`amount`: `1.005` has more digits behind the point than DECIMAL(10,2)"),
                (4, "malformed", "a quote without its end at byte 2"),
                (5, "missing_field", "`id`: the value is missing, and the column is NOT NULL"),
                (6, "malformed", "expected 4 fields, found 5 or more"),
            ]
        );
        assert_eq!(lines(&CsvEncoder::default().encode(&decoded.batch).unwrap()), ["1,a,1.00,", "8,h,8.00,"]);
        assert_eq!(decoded.sources, Some(vec![0, 7]));
    }

    #[test]
    fn another_dialect_is_read_and_written() {
        let dialect = Dialect { delimiter: b';', quote: b'\'', null: "\\N".into() };
        let mut decoder = CsvDecoder::new(schema(), dialect.clone()).unwrap();
        decoder.push(Some(b"1;'it''s; so';\\N;\\N"));
        let decoded = decoder.finish().unwrap();
        assert_eq!(lines(&CsvEncoder::new(dialect).encode(&decoded.batch).unwrap()), ["1;'it''s; so';\\N;\\N"]);
    }
}
