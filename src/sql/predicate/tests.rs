//! Conditions over records: which match, what is said of the rest.

#![allow(clippy::unwrap_used)]

use super::*;

fn record(key: &str, value: &str, offset: i64) -> Record {
    Record {
        topic: "orders".into(),
        partition: (offset % 3) as i32,
        offset,
        timestamp_ms: Some(1_700_000_000_000 + offset),
        key: Some(key.as_bytes().to_vec()),
        value: Some(value.as_bytes().to_vec()),
        headers: vec![("trace".into(), Some(b"abc".to_vec()))],
        value_bytes: value.len(),
    }
}

fn records(values: &[&str]) -> Vec<Record> {
    values.iter().enumerate().map(|(at, value)| record(&format!("CUST-{at}"), value, at as i64)).collect()
}

#[track_caller]
fn hits(text: &str, values: &[&str]) -> Vec<usize> {
    let matches = Predicate::compile(text).unwrap().matches(&records(values)).unwrap();
    matches.hits.iter().enumerate().filter(|(_, hit)| **hit).map(|(row, _)| row).collect()
}

#[test]
fn what_is_no_json_is_searched_as_text() {
    let values = ["2026-11-21 ERROR timeout of ORD-7", r#"{"state": "timeout"}"#, "ok"];
    for (text, expected) in [
        ("_value LIKE '%timeout%'", &[0, 1][..]),
        ("_value = 'ok'", &[2]),
        ("_VALUE LIKE '%ERROR%' AND _key = 'CUST-0'", &[0]),
        ("state = 'timeout' OR _value LIKE '%ERROR%'", &[0, 1]),
    ] {
        assert_eq!(hits(text, &values), expected, "{text}");
    }
    let mut bytes = records(&["x"]);
    bytes[0].value = Some(vec![0xff]);
    let found = Predicate::compile("_value IS NULL").unwrap().matches(&bytes).unwrap();
    assert_eq!(found.hits, [true], "bytes that are no text");
}

#[test]
fn records_match_by_value_key_and_place() {
    let orders = [
        r#"{"amount": 99.99, "state": "open", "customer": {"id": 7}, "at": "2026-11-21T09:00:00Z"}"#,
        r#"{"amount": 100.01, "state": "paid", "customer": {"id": 8}, "at": "2026-11-21T10:00:00Z"}"#,
        r#"{"amount": 250, "state": null, "customer": {"id": 9}, "at": "2026-11-21T11:00:00Z"}"#,
    ];
    for (text, expected) in [
        ("amount > 100", &[1, 2][..]),
        (r#"amount > 100 AND _key LIKE "CUST-%""#, &[1, 2]),
        ("amount > 100 AND _key = 'CUST-2'", &[2]),
        ("_offset >= 1", &[1, 2]),
        ("_Partition = 0", &[0]),
        ("_topic = 'payments'", &[]),
        ("state IS NULL", &[2]),
        ("NOT state = 'open'", &[1]),
        ("state IN ('open', 'paid')", &[0, 1]),
        ("AMOUNT BETWEEN 99.99 AND 100.01", &[0, 1]),
        ("amount * 2 = 500", &[2]),
        ("customer.id = 8", &[1]),
        ("at > '2026-11-21T09:30:00'", &[1, 2]),
        ("upper(state) = 'PAID'", &[1]),
        ("HEADER('trace') = 'abc' AND amount < 100", &[0]),
        ("_timestamp < '2020-01-01'", &[]),
        ("if(amount > 200, true, false)", &[2]),
        ("missing = 'x'", &[]),
        ("missing IS NULL", &[0, 1, 2]),
    ] {
        assert_eq!(hits(text, &orders), expected, "{text}");
    }
}

#[test]
fn what_does_not_fit_does_not_match_and_is_counted() {
    let values =
        ["{\"amount\": 1}", "no json", "[2]", "{\"amount\": \"n/a\"}", "{\"amount\": \"12.5\"}", "{\"amount\": 12.75}"];
    let mut predicate = Predicate::compile("amount > 5 OR _key = 'CUST-1' OR _key = 'CUST-3'").unwrap();
    let matches = predicate.matches(&records(&values)).unwrap();
    assert_eq!(matches.hits, [false, true, false, true, true, true]);
    assert_eq!((matches.no_json, matches.misfits), (2, 1));
}

#[test]
fn types_widen_with_what_later_batches_bring() {
    let mut predicate = Predicate::compile("amount > 5").unwrap();
    let mut matched = |value: &str| predicate.matches(&records(&[value])).unwrap().hits[0];
    for (value, expected) in [
        ("{}", false),
        ("{\"amount\": 6}", true),
        ("{\"amount\": 5.25}", true),
        ("{\"amount\": 5.000000001}", true),
        ("{\"amount\": 4.999999999}", false),
        ("{\"amount\": \"7\"}", true),
        ("{\"amount\": 3}", false),
    ] {
        assert_eq!(matched(value), expected, "{value}");
    }
    let mut predicate = Predicate::compile("code = 'A7' OR code = '7'").unwrap();
    let mut matched = |value: &str| predicate.matches(&records(&[value])).unwrap().hits[0];
    assert_eq!(
        ["{\"code\": 7}", "{\"code\": \"A7\"}", "{\"code\": 8}", "{\"code\": 7}"].map(&mut matched),
        [true, true, false, true]
    );
}

#[test]
fn contradictions_after_the_sample_are_learnt_too() {
    let mut predicate = Predicate::compile("amount > 5").unwrap();
    let many: Vec<Record> = (0..2_000).map(|at| record("k", "{\"amount\": 1}", at)).collect();
    assert_eq!(predicate.matches(&many).unwrap().hits.iter().filter(|hit| **hit).count(), 0);
    let matches = predicate.matches(&records(&["{\"amount\": 5.5}", "{\"amount\": {\"a\": 1}}"])).unwrap();
    assert_eq!((matches.hits, matches.misfits), (vec![true, false], 1));
}

#[test]
fn topics_have_their_own_types() {
    let mut predicate = Predicate::compile("id = '7'").unwrap();
    let mut other = record("k", "{\"id\": \"7\"}", 0);
    other.topic = "payments".into();
    let records = [record("k", "{\"id\": 7}", 0), other, record("k", "{\"id\": 8}", 1)];
    assert_eq!(predicate.matches(&records).unwrap().hits, [true, true, false]);
}

#[test]
fn a_record_that_cannot_be_computed_with_costs_itself_alone() {
    let mut predicate = Predicate::compile("n * 2 > 5").unwrap();
    let matches = predicate.matches(&records(&["{\"n\": 9223372036854775}", "{\"n\": 1}", "{\"n\": 3}"])).unwrap();
    assert_eq!(matches.hits, [true, false, true]);
    let mut predicate = Predicate::compile("CAST(n AS BIGINT) > 5").unwrap();
    let matches = predicate.matches(&records(&["{\"n\": \"x\"}", "{\"n\": \"6\"}"])).unwrap();
    assert_eq!((matches.hits, matches.misfits), (vec![false, true], 1));
}

#[test]
fn errors_are_said_at_once_with_their_place() {
    for (text, what, next, underlined) in [
        ("amount >", "", "", None),
        ("", "a condition is missing", "amount > 100", None),
        ("uper(name) = 'X'", "there is no function `uper`", "did you mean `upper`?", Some("uper")),
        ("a > 1 AND sum(b) > 2", "`sum` is of many records", "sql run", Some("sum")),
        ("a IN (SELECT b FROM c)", "no query in it", "sql run", None),
        ("amount + 1", "not true or false", "compare it", None),
        ("upper(a, b) = 'X'", "", "", None),
        ("_offset LIKE ARRAY[1]", "", "", None),
    ] {
        let Err(error) = Predicate::compile(text) else { panic!("{text} compiles") };
        assert!(error.fault.what.contains(what), "{text}: {error:?}");
        assert!(error.fault.next.contains(next), "{text}: {error:?}");
        if let Some(underlined) = underlined {
            assert_eq!(&text[error.span.start..error.span.end], underlined, "{text}");
        }
    }
}

#[test]
fn a_field_that_no_record_has_is_said_once_with_the_nearest() {
    let mut predicate = Predicate::compile("amont > 5 AND state = 'x'").unwrap();
    assert_eq!(predicate.absent(true), None, "nothing was read");
    predicate.matches(&records(&["{\"amount\": 1, \"state\": \"x\"}"])).unwrap();
    assert_eq!(predicate.absent(false), None, "one record is too few to tell");
    let said = predicate.absent(true).unwrap();
    assert_eq!(said, "no record had `amont` (did you mean `amount`?); fields are: amount, state");
    assert_eq!(predicate.absent(true), None, "once");
}
