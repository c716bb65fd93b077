//! What is read is what is written, in any dialect.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};

use super::*;
use crate::formats::contract::{Decoder, Encoded, Encoder};
use crate::formats::types;

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
