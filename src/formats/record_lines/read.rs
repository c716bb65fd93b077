//! An object of JSON back into a message: what `tail --format json` wrote can be sent again unchanged.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::member;
use crate::core::record::{Headers, Message};

/// Why a line is no record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The line is not a JSON object with the members of a record.
    #[error("not a record: {0}")]
    Shape(String),
    /// Neither `value` nor `value_base64`.
    #[error("no `value`, `value_base64` or `\"value\": null` in it")]
    NoValue,
    /// A member says base64 and is not.
    #[error("`{member}` is not base64: {cause}")]
    Base64 {
        /// Which.
        member: String,
        /// Why not.
        cause: String,
    },
}

/// The members of a record; those of where it came from are read and left.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default, rename = "topic")]
    _topic: Option<String>,
    #[serde(default)]
    partition: Option<i32>,
    #[serde(default, rename = "offset")]
    _offset: Option<i64>,
    #[serde(default)]
    timestamp_ms: Option<i64>,
    #[serde(default, rename = "timestamp")]
    _timestamp: Option<String>,
    #[serde(default, rename = "key")]
    _key: IgnoredAny,
    #[serde(default)]
    key_base64: Option<String>,
    #[serde(default, rename = "value")]
    _value: IgnoredAny,
    #[serde(default)]
    value_base64: Option<String>,
    #[serde(default)]
    headers: IndexMap<String, Value>,
}

/// The message that a line, or an object on several lines, describes, without a topic. Partition and time are as they were in the line.
pub fn message(line: &str) -> Result<Message, ReadError> {
    let read: Line = serde_json::from_str(line).map_err(|error| ReadError::Shape(error.to_string()))?;
    let value = match read.value_base64 {
        Some(text) => Some(decoded("value_base64", &text)?),
        None => bytes(member::text_of(line, "value").ok_or(ReadError::NoValue)?)?,
    };
    let key = match read.key_base64 {
        Some(text) => Some(decoded("key_base64", &text)?),
        None => bytes(member::text_of(line, "key").unwrap_or("null"))?,
    };
    Ok(Message {
        partition: read.partition,
        timestamp_ms: read.timestamp_ms,
        key,
        value,
        headers: headers(&read.headers)?,
        ..Message::default()
    })
}

/// A string is its text, `null` is null; anything else is its JSON as it stands, number by number.
fn bytes(json: &str) -> Result<Option<Vec<u8>>, ReadError> {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json)
            .map(|text: String| Some(text.into_bytes()))
            .map_err(|error| ReadError::Shape(error.to_string())),
        Some(b'n') => Ok(None),
        _ => Ok(Some(json.as_bytes().to_vec())),
    }
}

fn decoded(member: &str, text: &str) -> Result<Vec<u8>, ReadError> {
    STANDARD.decode(text).map_err(|error| ReadError::Base64 { member: member.to_owned(), cause: error.to_string() })
}

fn headers(read: &IndexMap<String, Value>) -> Result<Headers, ReadError> {
    let mut headers = Headers::new();
    for (name, value) in read {
        match value {
            Value::Array(values) => {
                for value in values {
                    headers.push((name.as_str().into(), header(name, value)?));
                }
            }
            value => headers.push((name.as_str().into(), header(name, value)?)),
        }
    }
    Ok(headers)
}

fn header(name: &str, value: &Value) -> Result<Option<Vec<u8>>, ReadError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone().into_bytes())),
        Value::Object(object) if object.len() == 1 && object.contains_key("base64") => {
            decoded(&format!("headers.{name}.base64"), object["base64"].as_str().unwrap_or_default()).map(Some)
        }
        other => Ok(Some(other.to_string().into_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Values;
    use super::super::tests::{line, record};
    use super::*;

    #[test]
    fn what_was_written_is_read_back_byte_for_byte() {
        let headers: Headers =
            vec![("a".into(), Some(b"1".to_vec())), ("a".into(), None), ("b".into(), Some(b"\xff".to_vec()))];
        let values: [Option<&[u8]>; 6] = [
            None,
            Some(b""),
            Some(b"{\"amount\": 1204.50, \"n\": 1e400}"),
            Some(b"[1.0]"),
            Some(b"\"quoted\""),
            Some(b"\xff"),
        ];
        for value in values {
            for form in [Values::Auto, Values::Text, Values::Base64] {
                let written = record(Some(b"k\x80"), value, headers.clone());
                let read = message(line(&written, form).trim_end()).expect("a record");
                assert_eq!((read.key, read.value, read.headers), (written.key, written.value, written.headers));
                assert_eq!((read.partition, read.timestamp_ms), (Some(2), Some(1_795_253_178_123)));
            }
        }
    }

    #[test]
    fn a_line_that_is_no_record_says_why() {
        assert_eq!(message(r#"{"key":"a"}"#), Err(ReadError::NoValue));
        assert!(matches!(message(r#"{"valeu":1}"#), Err(ReadError::Shape(why)) if why.contains("valeu")));
        assert!(matches!(message("12"), Err(ReadError::Shape(_))));
        assert!(matches!(message(r#"{"value_base64":"*"}"#), Err(ReadError::Base64 { .. })));
    }
}
