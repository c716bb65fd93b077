//! Records as JSON Lines, one object each, in the form of `velox-tui tail --format json`. Values keep every digit.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;

use crate::core::record::{Headers, Record};

/// Most bytes of an export: it is made in memory between two frames.
pub const EXPORT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The lines of as many records as fit, and how many those are.
pub fn lines<'r>(records: impl Iterator<Item = &'r Record>) -> (String, usize) {
    let (mut lines, mut written) = (String::new(), 0);
    for record in records {
        if lines.len() + record.value.as_ref().map_or(0, Vec::len) > EXPORT_BYTES_MAX {
            break;
        }
        lines.push_str(&line(record));
        lines.push('\n');
        written += 1;
    }
    (lines, written)
}

/// One record on one line.
pub fn line(record: &Record) -> String {
    let mut members = vec![
        format!("\"topic\":{}", string(&record.topic)),
        format!("\"partition\":{}", record.partition),
        format!("\"offset\":{}", record.offset),
    ];
    if let Some(ms) = record.timestamp_ms {
        members.push(format!("\"timestamp_ms\":{ms}"));
        if let Ok(time) = jiff::Timestamp::from_millisecond(ms) {
            members.push(format!("\"timestamp\":\"{time:.3}\""));
        }
    }
    members.push(member("key", record.key.as_deref(), false));
    members.push(member("value", record.value.as_deref(), true));
    if record.value.as_ref().is_some_and(|value| value.len() < record.value_bytes) {
        // Only the head was kept: a reader must not take it for the whole.
        members.push(format!("\"value_bytes\":{}", record.value_bytes));
    }
    members.push(format!("\"headers\":{{{}}}", headers(&record.headers)));
    format!("{{{}}}", members.join(","))
}

fn member(name: &str, bytes: Option<&[u8]>, json_as_it_is: bool) -> String {
    let Some(bytes) = bytes else { return format!("\"{name}\":null") };
    match std::str::from_utf8(bytes) {
        Ok(text) if json_as_it_is && is_container(text) => format!("\"{name}\":{}", on_one_line(text)),
        Ok(text) => format!("\"{name}\":{}", string(text)),
        Err(_) => format!("\"{name}_base64\":\"{}\"", STANDARD.encode(bytes)),
    }
}

fn is_container(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// A line break can only stand between tokens of valid JSON.
fn on_one_line(json: &str) -> String {
    json.trim().replace(['\n', '\r'], " ")
}

/// A name that comes more than once has the list of its values.
fn headers(headers: &Headers) -> String {
    let mut members: Vec<String> = Vec::with_capacity(headers.len());
    for (at, (name, _)) in headers.iter().enumerate() {
        if headers[..at].iter().any(|(earlier, _)| earlier == name) {
            continue;
        }
        let values: Vec<String> =
            headers.iter().filter(|(other, _)| other == name).map(|(_, value)| header(value.as_deref())).collect();
        let value = if values.len() == 1 { values.concat() } else { format!("[{}]", values.join(",")) };
        members.push(format!("{}:{value}", string(name)));
    }
    members.join(",")
}

fn header(value: Option<&[u8]>) -> String {
    match value.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => "null".into(),
        Some((_, Ok(text))) => string(text),
        Some((bytes, Err(_))) => format!("{{\"base64\":\"{}\"}}", STANDARD.encode(bytes)),
    }
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_that_loses_nothing() {
        let record = Record {
            topic: "orders".into(),
            partition: 2,
            offset: 17,
            timestamp_ms: Some(1_795_253_178_123),
            key: Some(vec![0xff, 0]),
            value: Some(b"{\n \"amount\": 1204.50}\n".to_vec()),
            headers: vec![("a".into(), Some(b"1".to_vec())), ("b".into(), None), ("a".into(), Some(b"2".to_vec()))],
            value_bytes: 99,
        };
        assert_eq!(
            line(&record),
            "{\"topic\":\"orders\",\"partition\":2,\"offset\":17,\"timestamp_ms\":1795253178123,\
             \"timestamp\":\"2026-11-21T09:26:18.123Z\",\"key_base64\":\"/wA=\",\"value\":{  \"amount\": 1204.50},\
             \"value_bytes\":99,\"headers\":{\"a\":[\"1\",\"2\"],\"b\":null}}"
        );
        serde_json::from_str::<IgnoredAny>(&line(&record)).expect("JSON");
    }

    #[test]
    fn an_export_is_bounded_and_says_how_many_it_took() {
        let large = Record {
            topic: "t".into(),
            partition: 0,
            offset: 0,
            timestamp_ms: None,
            key: None,
            value: Some(vec![b'a'; EXPORT_BYTES_MAX / 3]),
            headers: Vec::new(),
            value_bytes: EXPORT_BYTES_MAX / 3,
        };
        let (lines, written) = lines([&large, &large, &large, &large].into_iter());
        assert_eq!((written, lines.lines().count()), (2, 2));
    }
}
