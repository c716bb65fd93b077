//! Debezium's JSON envelope: `before`, `after` and `op` become rows with what happens to them, and rows become envelopes.

use arrow::array::{Int8Array, RecordBatch};
use arrow::datatypes::SchemaRef;

use super::contract::{Decoded, Decoder, Encoded, Encoder, Malformed};
use super::json::scan::{Bad, Cursor};
use super::json::{JsonDecoder, RowWriter};
use crate::core::fault::Fault;

/// What happens to a row, as [`crate::connectors::contract::Op`] counts it.
const INSERT: i8 = 0;
const DELETE: i8 = 1;
const UPDATE_BEFORE: i8 = 2;
const UPDATE_AFTER: i8 = 3;

/// Reads envelopes. Tombstones, which Debezium sends behind a delete, are no rows.
pub struct DebeziumDecoder {
    rows: JsonDecoder,
    ops: Vec<i8>,
    sources: Vec<u32>,
    pushed: u32,
    bad: Vec<Malformed>,
}

/// The parts of an envelope, as they stand.
#[derive(Default)]
struct Envelope<'t> {
    before: Option<&'t [u8]>,
    after: Option<&'t [u8]>,
    op: Option<Vec<u8>>,
}

impl DebeziumDecoder {
    /// A decoder of envelopes around these columns.
    ///
    /// # Errors
    /// As [`JsonDecoder::new`].
    pub fn new(schema: SchemaRef) -> Result<Self, Fault> {
        let rows = JsonDecoder::new(schema)?;
        Ok(Self { rows, ops: Vec::new(), sources: Vec::new(), pushed: 0, bad: Vec::new() })
    }

    fn read(&mut self, value: &[u8]) -> Result<(), Bad> {
        let envelope = envelope(value)?;
        let rows = self.rows.rows();
        let outcome = self.read_rows(&envelope);
        if outcome.is_err() {
            self.rows.take_back(rows);
            self.ops.truncate(rows);
        }
        self.sources.extend(std::iter::repeat_n(self.pushed, self.ops.len() - rows));
        outcome
    }

    fn read_rows(&mut self, envelope: &Envelope<'_>) -> Result<(), Bad> {
        match envelope.op.as_deref() {
            Some(b"c" | b"r") => self.row(envelope.after, "after", INSERT),
            Some(b"d") => self.row(envelope.before, "before", DELETE),
            Some(b"u") => {
                self.row(envelope.before, "before", UPDATE_BEFORE)?;
                self.row(envelope.after, "after", UPDATE_AFTER)
            }
            // A message of the database's log: no row of the table.
            Some(b"m") => Ok(()),
            Some(other) => {
                let message = format!("`op` is `{}`, which is none of c, r, u, d", String::from_utf8_lossy(other));
                Err(Bad { class: "malformed", message, path: Vec::new() })
            }
            None => Err(Bad { class: "missing_field", message: "the envelope has no `op`".into(), path: Vec::new() }),
        }
    }

    fn row(&mut self, text: Option<&[u8]>, name: &str, op: i8) -> Result<(), Bad> {
        let Some(text) = text else {
            let why = if name == "before" { "; the table needs REPLICA IDENTITY FULL" } else { "" };
            let message = format!("the envelope has no `{name}`{why}");
            return Err(Bad { class: "missing_field", message, path: Vec::new() });
        };
        self.rows.read(text).map_err(|bad| bad.within(name))?;
        self.ops.push(op);
        Ok(())
    }
}

/// The parts of an envelope, also of one that Kafka Connect wrapped as `{"schema": …, "payload": …}`.
fn envelope(value: &[u8]) -> Result<Envelope<'_>, Bad> {
    let text =
        std::str::from_utf8(value).map_err(|error| Bad::malformed(error.valid_up_to(), "the record is no UTF-8"))?;
    let mut envelope = Envelope::default();
    let mut cursor = Cursor::new(text.as_bytes());
    cursor.take(b'{')?;
    if !cursor.take_if(b'}') {
        loop {
            let key = cursor.string()?;
            cursor.take(b':')?;
            let is_null = cursor.peek() == b'n';
            let start = cursor.at();
            cursor.skip()?;
            let part = (!is_null).then(|| cursor.since(start));
            match key.bytes() {
                b"payload" => {
                    if let Some(payload) = part.filter(|payload| payload.starts_with(b"{")) {
                        return self::envelope(payload);
                    }
                }
                b"before" => envelope.before = part,
                b"after" => envelope.after = part,
                b"op" => envelope.op = part.map(|op| op.iter().copied().filter(|byte| *byte != b'"').collect()),
                _ => {}
            }
            if !cursor.take_if(b',') {
                break;
            }
        }
        cursor.take(b'}')?;
    }
    cursor.end()?;
    Ok(envelope)
}

/// The row that an envelope shows, for looking at samples: the new one, or the old one of a delete.
pub fn row_of(value: &[u8]) -> Option<&[u8]> {
    let envelope = envelope(value).ok()?;
    envelope.after.or(envelope.before)
}

impl Decoder for DebeziumDecoder {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn push(&mut self, value: Option<&[u8]>) -> bool {
        let bad = self.bad.len();
        if let Some(Err(bad)) = value.map(|value| self.read(value)) {
            self.bad.push(Malformed { record: self.pushed, class: bad.class, message: bad.line() });
        }
        self.pushed += 1;
        self.bad.len() == bad
    }

    fn finish(&mut self) -> Result<Decoded, Fault> {
        self.pushed = 0;
        Ok(Decoded {
            batch: self.rows.batch()?,
            sources: Some(std::mem::take(&mut self.sources)),
            ops: Some(Int8Array::from(std::mem::take(&mut self.ops))),
            bad: std::mem::take(&mut self.bad),
        })
    }
}

/// Writes envelopes. The old half of a replacement becomes the `before` of the new half.
#[derive(Debug, Default)]
pub struct DebeziumEncoder;

impl Encoder for DebeziumEncoder {
    fn encode(&mut self, batch: &RecordBatch) -> Result<Encoded, Fault> {
        self.encode_changes(batch, None)
    }

    fn encode_changes(&mut self, batch: &RecordBatch, ops: Option<&Int8Array>) -> Result<Encoded, Fault> {
        let writer = RowWriter::of(batch)?;
        let mut encoded = Encoded::default();
        let out = &mut encoded.bytes;
        let part = |name: &str, row: Option<usize>, out: &mut Vec<u8>| {
            out.extend_from_slice(name.as_bytes());
            match row {
                Some(row) => writer.write(row, out),
                None => out.extend_from_slice(b"null"),
            }
        };
        for row in 0..batch.num_rows() {
            let op_of = |row: usize| ops.map_or(INSERT, |ops| ops.value(row));
            let old = row.checked_sub(1).filter(|before| op_of(*before) == UPDATE_BEFORE);
            let (before, after, letter) = match op_of(row) {
                UPDATE_BEFORE => {
                    encoded.ends.push(out.len());
                    continue;
                }
                DELETE => (Some(row), None, 'd'),
                UPDATE_AFTER => (old, Some(row), 'u'),
                _ => (None, Some(row), 'c'),
            };
            part("{\"before\":", before, out);
            part(",\"after\":", after, out);
            out.extend_from_slice(format!(",\"op\":\"{letter}\"}}").as_bytes());
            encoded.ends.push(out.len());
        }
        Ok(encoded)
    }

    fn carries_changes(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn decoder() -> DebeziumDecoder {
        let columns = vec![Field::new("id", DataType::Int64, true), Field::new("name", DataType::Utf8, true)];
        DebeziumDecoder::new(Arc::new(Schema::new(columns))).unwrap()
    }

    #[test]
    fn envelopes_become_changes_and_changes_envelopes() {
        let records = [
            r#"{"before":null,"after":{"id":1,"name":"a"},"op":"c"}"#,
            r#"{"before":{"id":1,"name":"a"},"after":{"id":1,"name":"b"},"op":"u"}"#,
            r#"{"before":{"id":1,"name":"b"},"after":null,"op":"d"}"#,
        ];
        let mut decoder = decoder();
        for record in &records {
            decoder.push(Some(record.as_bytes()));
        }
        decoder.push(None);
        let decoded = decoder.finish().unwrap();
        let ops = decoded.ops.unwrap();
        assert_eq!(ops.values().to_vec(), [INSERT, UPDATE_BEFORE, UPDATE_AFTER, DELETE]);
        assert_eq!(decoded.sources, Some(vec![0, 1, 1, 2]));
        let encoded = DebeziumEncoder.encode_changes(&decoded.batch, Some(&ops)).unwrap();
        assert_eq!(String::from_utf8(encoded.bytes).unwrap(), records.concat());
        assert_eq!(encoded.ends[0], encoded.ends[1]);
    }

    #[test]
    fn a_wrapped_envelope_is_unwrapped_and_a_wrong_one_leaves_nothing() {
        let mut decoder = decoder();
        for record in [
            r#"{"schema":{"x":1},"payload":{"after":{"id":7,"name":"p"},"op":"r","ts_ms":1}}"#,
            r#"{"before":{"id":1},"after":{"id":"x"},"op":"u"}"#,
            r#"{"before":null,"after":{"id":1},"op":"u"}"#,
            r#"{"after":{"id":2},"op":"z"}"#,
            r#"{"after":{"id":2}"#,
        ] {
            decoder.push(Some(record.as_bytes()));
        }
        let decoded = decoder.finish().unwrap();
        assert_eq!((decoded.batch.num_rows(), decoded.sources), (1, Some(vec![0])));
        let said: Vec<_> = decoded.bad.iter().map(|bad| (bad.record, bad.message.as_str())).collect();
        assert_eq!(
            said,
            [
                (1, "`after.id`: expected BIGINT, found \"x\""),
                (2, "the envelope has no `before`; the table needs REPLICA IDENTITY FULL"),
                (3, "`op` is `z`, which is none of c, r, u, d"),
                (4, "expected `}`, the record ends at byte 17"),
            ]
        );
    }
}
