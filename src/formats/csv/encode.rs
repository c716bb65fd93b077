//! Rows to CSV records.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::Dialect;
use crate::core::fault::Fault;
use crate::formats::contract::{Encoded, Encoder};
use crate::formats::json::PlainWriter;

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
