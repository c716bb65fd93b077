//! Records as they are: one column that holds the whole value, text or bytes.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::contract::{Decoded, Decoder, Encoded, Encoder, Malformed};
use super::json::PlainWriter;
use super::json::column::{Column, batch};
use crate::core::fault::{Blame, Fault};

/// The column of a raw record where none is declared.
pub fn schema() -> SchemaRef {
    Schema::new(vec![Field::new("value", DataType::Utf8, true)]).into()
}

/// Makes one column of whole values. A null value is no row.
pub struct RawDecoder {
    schema: SchemaRef,
    /// `None` where no column is asked for: rows are only counted.
    column: Option<Column>,
    rows: usize,
    pushed: u32,
    sources: Vec<u32>,
    bad: Vec<Malformed>,
}

impl RawDecoder {
    /// A decoder into this one column.
    ///
    /// # Errors
    /// More than one column, or one that holds no text and no bytes.
    pub fn new(schema: SchemaRef) -> Result<Self, Fault> {
        let column = match schema.fields().as_ref() {
            [] => None,
            [field] if is_whole(field.data_type()) => Column::of(field.data_type()),
            _ => {
                return Err(Fault::new(Blame::Operator, "the format `raw` has one column, of VARCHAR or BYTES")
                    .next("declare one column, or choose another format"));
            }
        };
        Ok(Self { schema, column, rows: 0, pushed: 0, sources: Vec::new(), bad: Vec::new() })
    }
}

fn is_whole(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
    )
}

impl Decoder for RawDecoder {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn push(&mut self, value: Option<&[u8]>) -> bool {
        let bad = self.bad.len();
        if let Some(value) = value {
            match self.column.as_mut().map_or(Ok(()), |column| column.read_text(value)) {
                Ok(()) => {
                    self.sources.push(self.pushed);
                    self.rows += 1;
                }
                Err(bad) => {
                    self.column.iter_mut().for_each(|column| column.truncate(self.rows));
                    self.bad.push(Malformed { record: self.pushed, class: bad.class, message: bad.message });
                }
            }
        }
        self.pushed += 1;
        self.bad.len() == bad
    }

    fn finish(&mut self) -> Result<Decoded, Fault> {
        let batch = batch(&self.schema, self.column.as_mut_slice(), self.rows)?;
        let is_plain = self.rows == usize::try_from(self.pushed).unwrap_or(0);
        (self.rows, self.pushed) = (0, 0);
        let sources = std::mem::take(&mut self.sources);
        Ok(Decoded { batch, sources: (!is_plain).then_some(sources), ops: None, bad: std::mem::take(&mut self.bad) })
    }
}

/// Writes the one column of a batch as it is; NULL is an empty value.
#[derive(Debug, Default)]
pub struct RawEncoder;

impl Encoder for RawEncoder {
    fn encode(&mut self, batch: &RecordBatch) -> Result<Encoded, Fault> {
        let [column] = batch.columns() else {
            return Err(Fault::new(Blame::Operator, "the format `raw` writes one column")
                .next("select one column, or choose another format"));
        };
        let writer = PlainWriter::of(column)?;
        let mut encoded = Encoded::default();
        for row in 0..batch.num_rows() {
            if !writer.is_null(row) {
                writer.write(row, &mut encoded.bytes);
            }
            encoded.ends.push(encoded.bytes.len());
        }
        Ok(encoded)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_columns_as_they_are() {
        let mut decoder = RawDecoder::new(schema()).unwrap();
        for value in [Some(&b"{\"not\": looked at"[..]), None, Some(b"\xff\xfe"), Some(b"")] {
            decoder.push(value);
        }
        let decoded = decoder.finish().unwrap();
        assert_eq!(decoded.sources, Some(vec![0, 3]));
        assert_eq!(decoded.bad, [Malformed { record: 2, class: "malformed", message: "the value is no UTF-8".into() }]);
        let encoded = RawEncoder.encode(&decoded.batch).unwrap();
        assert_eq!((encoded.bytes.as_slice(), encoded.ends), (&b"{\"not\": looked at"[..], vec![17, 17]));
    }
}
