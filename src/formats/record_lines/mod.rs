//! A record as one line of JSON: topic, partition, offset, time, key, value, headers, and back. Writing allocates nothing a record;
//! what was written is read back byte for byte, save that line breaks inside a JSON value become spaces.

pub mod layout;
pub mod member;
pub mod read;

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use serde::de::IgnoredAny;

use super::clock::Clock;
use crate::core::record::{Headers, Message, Record};

/// How a value stands in a line of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Values {
    /// JSON objects and arrays as they are, other text as a string, bytes as `value_base64`.
    #[default]
    Auto,
    /// Text as a string, bytes as `value_base64`.
    Text,
    /// Always `value_base64`.
    Base64,
}

/// Writes records as JSON Lines.
#[derive(Debug, Default)]
pub struct JsonLines {
    values: Values,
    clock: Clock,
}

impl JsonLines {
    /// Lines with values in a form.
    pub fn new(values: Values) -> Self {
        Self { values, clock: Clock::default() }
    }

    /// Writes one record and its line break.
    pub fn write(&mut self, to: &mut impl Write, record: &Record) -> io::Result<()> {
        to.write_all(b"{\"topic\":")?;
        serde_json::to_writer(&mut *to, &record.topic)?;
        write!(to, ",\"partition\":{},\"offset\":{}", record.partition, record.offset)?;
        if let Some(timestamp_ms) = record.timestamp_ms {
            write!(to, ",\"timestamp_ms\":{timestamp_ms},\"timestamp\":\"")?;
            self.clock.write(to, timestamp_ms)?;
            to.write_all(b"\"")?;
        }
        member(to, "key", record.key.as_deref(), if self.values == Values::Auto { Values::Text } else { self.values })?;
        member(to, "value", record.value.as_deref(), self.values)?;
        if record.value.as_ref().is_some_and(|value| value.len() < record.value_bytes) {
            // Only the head was kept: a reader must not take it for the whole.
            write!(to, ",\"value_bytes\":{}", record.value_bytes)?;
        }
        to.write_all(b",\"headers\":")?;
        headers(to, &record.headers)?;
        to.write_all(b"}\n")
    }
}

/// Writes a message that is on its way to a topic, with what there is of it, without a line break.
pub fn write_message(to: &mut impl Write, message: &Message) -> io::Result<()> {
    to.write_all(b"{\"topic\":")?;
    serde_json::to_writer(&mut *to, &message.topic)?;
    if let Some(partition) = message.partition {
        write!(to, ",\"partition\":{partition}")?;
    }
    if let Some(timestamp_ms) = message.timestamp_ms {
        write!(to, ",\"timestamp_ms\":{timestamp_ms}")?;
    }
    member(to, "key", message.key.as_deref(), Values::Text)?;
    member(to, "value", message.value.as_deref(), Values::Auto)?;
    to.write_all(b",\"headers\":")?;
    headers(to, &message.headers)?;
    to.write_all(b"}")
}

fn member(to: &mut impl Write, name: &str, bytes: Option<&[u8]>, values: Values) -> io::Result<()> {
    let Some(bytes) = bytes else { return write!(to, ",\"{name}\":null") };
    match std::str::from_utf8(bytes) {
        Ok(text) if values != Values::Base64 => {
            write!(to, ",\"{name}\":")?;
            if values == Values::Auto && is_container(text) {
                one_line(to, bytes)
            } else {
                Ok(serde_json::to_writer(to, text)?)
            }
        }
        _ => {
            write!(to, ",\"{name}_base64\":")?;
            base64(to, bytes)
        }
    }
}

/// Whether a text is a JSON object or array: what may stand in the line as it is.
fn is_container(text: &str) -> bool {
    text.trim_ascii_start().starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Valid JSON on one line: a line break can only stand between its tokens.
fn one_line(to: &mut impl Write, json: &[u8]) -> io::Result<()> {
    let mut pieces = json.trim_ascii().split(|byte| matches!(byte, b'\n' | b'\r'));
    if let Some(first) = pieces.next() {
        to.write_all(first)?;
    }
    pieces.try_for_each(|piece| to.write_all(b" ").and_then(|()| to.write_all(piece)))
}

fn base64(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(b"\"")?;
    EncoderWriter::new(&mut *to, &STANDARD).write_all(bytes)?;
    to.write_all(b"\"")
}

/// Headers as an object; a name that comes more than once has the list of its values.
fn headers(to: &mut impl Write, headers: &Headers) -> io::Result<()> {
    to.write_all(b"{")?;
    let mut first = true;
    for (at, (name, value)) in headers.iter().enumerate() {
        if headers[..at].iter().any(|(earlier, _)| earlier == name) {
            continue;
        }
        if !std::mem::take(&mut first) {
            to.write_all(b",")?;
        }
        serde_json::to_writer(&mut *to, name)?;
        to.write_all(b":")?;
        let mut same = headers[at + 1..].iter().filter(|(later, _)| later == name).peekable();
        if same.peek().is_none() {
            header(to, value.as_deref())?;
            continue;
        }
        to.write_all(b"[")?;
        header(to, value.as_deref())?;
        for (_, value) in same {
            to.write_all(b",")?;
            header(to, value.as_deref())?;
        }
        to.write_all(b"]")?;
    }
    to.write_all(b"}")
}

fn header(to: &mut impl Write, value: Option<&[u8]>) -> io::Result<()> {
    match value.map(|bytes| (std::str::from_utf8(bytes), bytes)) {
        None => to.write_all(b"null"),
        Some((Ok(text), _)) => Ok(serde_json::to_writer(to, text)?),
        Some((Err(_), bytes)) => write!(to, "{{\"base64\":\"{}\"}}", STANDARD.encode(bytes)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A record with everything in it.
    pub fn record(key: Option<&[u8]>, value: Option<&[u8]>, headers: Headers) -> Record {
        Record {
            topic: "orders".into(),
            partition: 2,
            offset: 17,
            timestamp_ms: Some(1_795_253_178_123),
            key: key.map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers,
            value_bytes: value.map_or(0, <[u8]>::len),
        }
    }

    /// The line a record is written as.
    pub fn line(record: &Record, values: Values) -> String {
        let mut written = Vec::new();
        JsonLines::new(values).write(&mut written, record).expect("a buffer takes it");
        String::from_utf8(written).expect("text")
    }

    const HEAD: &str = r#"{"topic":"orders","partition":2,"offset":17,"timestamp_ms":1795253178123,"timestamp":"2026-11-21T09:26:18.123Z","#;

    #[test]
    fn a_json_value_keeps_every_digit_and_stands_on_one_line() {
        let record = record(Some(b"CUST-1"), Some(b"{\r\n  \"amount\": 1204.50\n}\n"), Vec::new());
        assert_eq!(
            line(&record, Values::Auto),
            format!("{HEAD}\"key\":\"CUST-1\",\"value\":{{    \"amount\": 1204.50 }},\"headers\":{{}}}}\n")
        );
    }

    #[test]
    fn null_text_and_bytes_are_told_apart() {
        let cases: [(Option<&[u8]>, &str); 5] = [
            (None, r#""value":null"#),
            (Some(b""), r#""value":"""#),
            (Some(b"12"), r#""value":"12""#),
            (Some(b"{\"broken\""), r#""value":"{\"broken\"""#),
            (Some(b"\xff\x00"), r#""value_base64":"/wA=""#),
        ];
        for (value, member) in cases {
            let written = line(&record(None, value, Vec::new()), Values::Auto);
            assert_eq!(written, format!("{HEAD}\"key\":null,{member},\"headers\":{{}}}}\n"));
        }
    }

    #[test]
    fn a_value_of_which_only_the_head_was_kept_says_how_long_it_is() {
        let whole = record(None, Some(b"head"), Vec::new());
        let head = Record { value_bytes: 99, ..whole.clone() };
        assert!(!line(&whole, Values::Auto).contains("value_bytes"));
        assert!(line(&head, Values::Auto).contains("\"value\":\"head\",\"value_bytes\":99,"));
    }

    #[test]
    fn a_header_that_comes_twice_keeps_both_values() {
        let headers: Headers =
            vec![("a".into(), Some(b"1".to_vec())), ("b".into(), None), ("a".into(), Some(b"\xff".to_vec()))];
        let written = line(&record(None, None, headers), Values::Auto);
        assert!(written.ends_with("\"headers\":{\"a\":[\"1\",{\"base64\":\"/w==\"}],\"b\":null}}\n"), "{written}");
    }
}
