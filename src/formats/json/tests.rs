//! Records in and out: every type, every way to be wrong, and neighbours that must not notice.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use proptest::prelude::*;

use super::*;
use crate::formats::contract::{Decoded, Decoder, Encoder};
use crate::formats::types;

fn schema(columns: &[(&str, &str)]) -> SchemaRef {
    let field = |(name, data_type): &(&str, &str)| Field::new(*name, types::parse(data_type).unwrap(), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

fn decode(schema: &SchemaRef, records: &[&str]) -> Decoded {
    let mut decoder = JsonDecoder::new(schema.clone()).unwrap();
    for record in records {
        decoder.push(Some(record.as_bytes()));
    }
    decoder.finish().unwrap()
}

fn encode(batch: &RecordBatch) -> Vec<String> {
    let encoded = JsonEncoder::default().encode(batch).unwrap();
    let mut start = 0;
    encoded
        .ends
        .iter()
        .map(|end| {
            let text = String::from_utf8(encoded.bytes[start..*end].to_vec()).unwrap();
            start = *end;
            text
        })
        .collect()
}

/// One record in, the same record out (in the words of the encoder), or the message about it.
#[track_caller]
fn check(columns: &[(&str, &str)], record: &str, expected: &str) {
    let decoded = decode(&schema(columns), &[record]);
    let said = match decoded.bad.first() {
        Some(bad) => format!("{}: {}", bad.class, bad.message),
        None => encode(&decoded.batch).remove(0),
    };
    assert_eq!(said, expected, "{record}");
}

#[test]
fn decimals_keep_every_digit_whether_numbers_or_strings() {
    let columns = [("a", "DECIMAL(38,10)")];
    check(
        &columns,
        r#"{"a": 1234567890123456789012345678.0123456789}"#,
        r#"{"a":"1234567890123456789012345678.0123456789"}"#,
    );
    check(&columns, r#"{"a": "0.1"}"#, r#"{"a":"0.1000000000"}"#);
    check(&columns, r#"{"a": -1.5e-3}"#, r#"{"a":"-0.0015000000"}"#);
    let columns = [("a", "DECIMAL(5,2)")];
    check(&columns, r#"{"a": 1.005}"#, "overflow: `a`: 1.005 has more digits behind the point than DECIMAL(5,2)");
    check(&columns, r#"{"a": "1000.00"}"#, "overflow: `a`: \"1000.00\" is too large for DECIMAL(5,2)");
    check(&columns, r#"{"a": "ten"}"#, "type_mismatch: `a`: expected DECIMAL(5,2), found \"ten\"");
    check(
        &[("a", "DECIMAL(60,2)")],
        r#"{"a": 12345678901234567890123456789012345678901234567890.12}"#,
        r#"{"a":"12345678901234567890123456789012345678901234567890.12"}"#,
    );
}

#[test]
fn times_are_read_from_text_and_from_numbers_of_their_unit() {
    check(&[("t", "TIMESTAMP(3)")], r#"{"t":"2024-01-15T12:30:00+02:00"}"#, r#"{"t":"2024-01-15T10:30:00.000Z"}"#);
    check(&[("t", "TIMESTAMP(3)")], r#"{"t":1705314600123}"#, r#"{"t":"2024-01-15T10:30:00.123Z"}"#);
    check(&[("t", "TIMESTAMP(6)")], r#"{"t":1705314600123456}"#, r#"{"t":"2024-01-15T10:30:00.123456Z"}"#);
    check(&[("t", "TIMESTAMP(3)")], r#"{"t":"soon"}"#, "type_mismatch: `t`: expected TIMESTAMP(3), found \"soon\"");
    check(
        &[("d", "DATE"), ("t", "TIME")],
        r#"{"d":"2024-02-29","t":"10:30"}"#,
        r#"{"d":"2024-02-29","t":"10:30:00.000"}"#,
    );
}

#[test]
fn a_missing_field_is_null_and_a_wrong_one_is_named() {
    let columns = [("id", "BIGINT"), ("name", "VARCHAR"), ("ok", "BOOLEAN"), ("x", "DOUBLE")];
    check(&columns, r#"{"id": 1}"#, r#"{"id":1,"name":null,"ok":null,"x":null}"#);
    check(
        &columns,
        r#"{"other": {"deep": [1, {"a": "}"}]}, "x": 1e3, "id": "7", "ok": true}"#,
        r#"{"id":7,"name":null,"ok":true,"x":1000.0}"#,
    );
    check(&columns, r#"{"id": 1.5}"#, "type_mismatch: `id`: expected BIGINT, found 1.5");
    check(&columns, r#"{"id": 99999999999999999999}"#, "overflow: `id`: 99999999999999999999 is too large for BIGINT");
    check(&columns, r#"{"id": {"a": 1}}"#, "type_mismatch: `id`: expected BIGINT, found {\"a\": 1}");
    check(&columns, r#"{"ok": "perhaps"}"#, "type_mismatch: `ok`: expected BOOLEAN, found \"perhaps\"");
    check(&columns, r#"{"ID": 3, "Name": "Ada"}"#, r#"{"id":3,"name":"Ada","ok":null,"x":null}"#);
    check(&columns, r#"{"id": 1, "id": 2}"#, r#"{"id":2,"name":null,"ok":null,"x":null}"#);
}

#[test]
fn what_is_no_json_is_malformed() {
    let columns = [("a", "VARCHAR")];
    check(&columns, r#"{"a": "x""#, "malformed: expected `}`, the record ends at byte 9");
    check(&columns, r#"{"a": "x"} {"#, "malformed: expected the end of the record, found `{` at byte 11");
    check(&columns, "[1, 2]", "malformed: expected a JSON object, found [1, 2]");
    check(&columns, "", "malformed: expected a JSON object, found ");
    check(&columns, r#"{"a": nope}"#, "malformed: `a`: expected a value, found `n` at byte 6");
    check(&columns, r#"{"a": "\ud800"}"#, "malformed: `a`: an escape that is no character at byte 9");
    let deep = format!("{{\"a\": {}1{}}}", "[".repeat(1_000), "]".repeat(1_000));
    check(&columns, &deep, "malformed: `a`: values nest too deep at byte 134");
    let decoded = {
        let mut decoder = JsonDecoder::new(schema(&columns)).unwrap();
        decoder.push(Some(b"{\"a\": \"\xff\"}"));
        decoder.finish().unwrap()
    };
    assert_eq!(decoded.bad[0].message, "the record is no UTF-8 at byte 7");
}

#[test]
fn text_takes_what_stands_there() {
    let columns = [("a", "VARCHAR")];
    check(&columns, r#"{"a": "tab\t \"q\" \u00e9 \ud83d\ude00 \/"}"#, "{\"a\":\"tab\\t \\\"q\\\" é 😀 /\"}");
    check(&columns, r#"{"a": 12.50}"#, r#"{"a":"12.50"}"#);
    check(&columns, r#"{"a": {"b": [1, 2]}}"#, r#"{"a":"{\"b\": [1, 2]}"}"#);
    check(&columns, r#"{"a": "\u0001"}"#, "{\"a\":\"\\u0001\"}");
}

fn nested() -> SchemaRef {
    let item = Field::new("item", DataType::Decimal128(10, 2), true);
    let inner = Field::new_struct(
        "address",
        vec![Field::new("city", DataType::Utf8, true), Field::new("codes", DataType::List(Arc::new(item)), true)],
        true,
    );
    let map = Field::new_map(
        "tags",
        "entries",
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Int64, true),
        false,
        true,
    );
    Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false), inner, map]))
}

#[test]
fn nested_values_are_read_and_written() {
    let records = [
        r#"{"id":1,"address":{"city":"Oslo","codes":["1.00","2.50"]},"tags":{"a":1,"b":null}}"#,
        r#"{"id":2,"address":null,"tags":{}}"#,
        r#"{"id":3,"address":{"city":null,"codes":null},"tags":null}"#,
    ];
    let decoded = decode(&nested(), &records);
    assert_eq!(decoded.bad, []);
    assert_eq!(encode(&decoded.batch), records);
}

#[test]
fn a_bad_record_leaves_nothing_behind_and_its_neighbours_whole() {
    let good =
        |id: i64| format!(r#"{{"id":{id},"address":{{"city":"c{id}","codes":["{id}.00"]}},"tags":{{"k":{id}}}}}"#);
    let records = [
        good(1),
        r#"{"id":2,"address":{"city":"half","codes":[1, 2, "x"]},"tags":{"k":1}}"#.into(),
        good(3),
        r#"{"address":{"city":"no id"}}"#.into(),
        r#"{"id":5,"tags":{"a":1,"b":"two"}}"#.into(),
        good(6),
        r#"{"id":7,"address":{"city":"cut off"#.into(),
    ];
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let decoded = decode(&nested(), &records);
    assert_eq!(encode(&decoded.batch), [good(1), good(3), good(6)]);
    assert_eq!(decoded.sources, Some(vec![0, 2, 5]));
    let said: Vec<_> = decoded.bad.iter().map(|bad| (bad.record, bad.class, bad.message.as_str())).collect();
    assert_eq!(
        said,
        [
            (1, "type_mismatch", "`address.codes[2]`: expected DECIMAL(10,2), found \"x\""),
            (3, "missing_field", "`id`: the value is missing or null, and the column is NOT NULL"),
            (4, "type_mismatch", "`tags.\"b\"`: expected BIGINT, found \"two\""),
            (6, "malformed", "`address.city`: a string without its end at byte 27"),
        ]
    );
}

#[test]
fn a_null_value_is_no_row_and_not_bad() {
    let mut decoder = JsonDecoder::new(schema(&[("a", "BIGINT")])).unwrap();
    decoder.push(Some(b"{\"a\":1}"));
    decoder.push(None);
    decoder.push(Some(b"{\"a\":3}"));
    let decoded = decoder.finish().unwrap();
    assert_eq!((decoded.sources, decoded.bad.len()), (Some(vec![0, 2]), 0));
    decoder.push(Some(b"{\"a\":4}"));
    let again = decoder.finish().unwrap();
    assert_eq!(again.sources, None);
    assert_eq!(again.batch.column(0).as_primitive::<Int64Type>().values().to_vec(), [4]);
}

#[test]
fn times_without_milliseconds_of_their_own_are_written_with_them() {
    let columns = Arc::new(Schema::new(vec![Field::new(
        "t",
        DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        true,
    )]));
    let decoded = decode(&columns, &[r#"{"t":"2024-01-15T10:30:00.000000001Z"}"#, r#"{"t":"2024-01-15T10:30:00Z"}"#]);
    assert_eq!(
        encode(&decoded.batch),
        [r#"{"t":"2024-01-15T10:30:00.000000001Z"}"#, r#"{"t":"2024-01-15T10:30:00.000Z"}"#]
    );
}

proptest! {
    #[test]
    fn any_bytes_are_a_row_or_a_bad_record_and_never_a_panic(records in proptest::collection::vec(any::<Vec<u8>>(), 0..20)) {
        let mut decoder = JsonDecoder::new(nested()).unwrap();
        for record in &records {
            decoder.push(Some(record));
        }
        let decoded = decoder.finish().unwrap();
        prop_assert_eq!(decoded.batch.num_rows() + decoded.bad.len(), records.len());
    }

    /// Whatever is cut out of good records: rows are those of the whole ones, in order.
    #[test]
    fn cut_records_never_touch_whole_ones(cuts in proptest::collection::vec(proptest::option::of(0_usize..70), 1..50)) {
        let whole = |id: usize| format!(r#"{{"id":{id},"address":{{"city":"c{id}","codes":[{id}.25,1]}},"tags":{{"k":{id}}}}}"#);
        let mut decoder = JsonDecoder::new(nested()).unwrap();
        let mut expected = Vec::new();
        for (id, cut) in cuts.iter().enumerate() {
            let record = whole(id);
            match cut {
                Some(cut) => {
                    prop_assert!(!decoder.push(Some(&record.as_bytes()[..(*cut).min(record.len() - 1)])));
                }
                None => {
                    decoder.push(Some(record.as_bytes()));
                    expected.push(id as i64);
                }
            }
        }
        let decoded = decoder.finish().unwrap();
        let ids = decoded.batch.column(0).as_primitive::<Int64Type>().values().to_vec();
        prop_assert_eq!(&ids, &expected);
        let codes = decoded.batch.column(1).as_struct().column(1).as_list::<i32>();
        for (row, id) in expected.iter().enumerate() {
            let values = codes.value(row);
            prop_assert_eq!(values.as_primitive::<Decimal128Type>().values().to_vec(), vec![i128::from(*id) * 100 + 25, 100]);
        }
    }
}
