//! What `produce` makes of a piece of its input: one message, or why it is none. It reads nothing and sends nothing.

use std::sync::Arc;

use clap::ValueEnum;
use serde::de::IgnoredAny;

use crate::core::record::{Headers, Message};
use crate::formats::record_lines::{member, read};

/// What a piece of the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Input {
    /// Each line is a value, as it stands
    #[default]
    Lines,
    /// Each line is a record as `tail --format json` writes it: key, value, headers
    Jsonl,
    /// All of the input is one value
    Whole,
}

/// How messages are made of pieces. A flag wins over what a JSON line says.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Topic of every message.
    pub topic: Arc<str>,
    /// What a piece is.
    pub input: Input,
    /// Key of every message.
    pub key: Option<Vec<u8>>,
    /// Path of the field of a JSON value that is the key.
    pub key_field: Option<Vec<String>>,
    /// What stands between key and value in a line.
    pub key_separator: Option<String>,
    /// Headers added to every message; one of the same name in a JSON line is replaced.
    pub headers: Headers,
    /// Partition of every message.
    pub partition: Option<i32>,
    /// Whether partition and time of a JSON line are kept.
    pub keep_place: bool,
    /// Whether an empty value is sent as null.
    pub empty_is_null: bool,
}

impl Form {
    /// The message that a piece of the input is.
    pub fn message(&self, piece: &[u8]) -> Result<Message, String> {
        let mut message = match self.input {
            Input::Jsonl => self.record(piece)?,
            Input::Lines | Input::Whole => self.value(piece)?,
        };
        if let Some(key) = &self.key {
            message.key = Some(key.clone());
        } else if let Some(path) = &self.key_field {
            message.key = Some(field(message.value.as_deref(), path)?);
        }
        if self.empty_is_null && message.value.as_ref().is_some_and(Vec::is_empty) {
            message.value = None;
        }
        message.headers.retain(|(name, _)| !self.headers.iter().any(|(given, _)| given == name));
        message.headers.extend(self.headers.iter().cloned());
        message.partition = self.partition.or(message.partition);
        message.topic = Arc::clone(&self.topic);
        Ok(message)
    }

    fn record(&self, piece: &[u8]) -> Result<Message, String> {
        let text = std::str::from_utf8(piece).map_err(|error| format!("not text: {error}"))?;
        let message = read::message(text).map_err(|error| error.to_string())?;
        if self.keep_place {
            return Ok(message);
        }
        Ok(Message { partition: None, timestamp_ms: None, ..message })
    }

    fn value(&self, piece: &[u8]) -> Result<Message, String> {
        let Some(separator) = &self.key_separator else {
            return Ok(Message { value: Some(piece.to_vec()), ..Message::default() });
        };
        let at = piece
            .windows(separator.len().max(1))
            .position(|window| window == separator.as_bytes())
            .ok_or_else(|| format!("no `{separator}` between key and value"))?;
        let (key, value) = (&piece[..at], &piece[at + separator.len()..]);
        Ok(Message { key: Some(key.to_vec()), value: Some(value.to_vec()), ..Message::default() })
    }
}

/// The field of a JSON value at a path, as bytes: a string's text, of anything else its JSON.
fn field(value: Option<&[u8]>, path: &[String]) -> Result<Vec<u8>, String> {
    let name = path.join(".");
    let text = std::str::from_utf8(value.unwrap_or_default()).map_err(|error| format!("not text: {error}"))?;
    serde_json::from_str::<IgnoredAny>(text)
        .map_err(|error| format!("the value is not JSON, so it has no `{name}`: {error}"))?;
    let found = path.iter().try_fold(text, |object, name| member::text_of(object, name));
    match found {
        None | Some("null") => Err(format!("the value has no `{name}` to be the key")),
        Some(text) if text.starts_with('"') => {
            serde_json::from_str(text).map(String::into_bytes).map_err(|error| error.to_string())
        }
        Some(text) => Ok(text.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(change: impl FnOnce(&mut Form)) -> Form {
        let mut form = Form { topic: "t".into(), ..Form::default() };
        change(&mut form);
        form
    }

    fn pair(form: &Form, piece: &[u8]) -> Result<(Option<String>, Option<String>), String> {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        form.message(piece).map(|message| (message.key.map(text), message.value.map(text)))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_line_is_a_value_as_it_stands() {
        assert_eq!(pair(&form(|_| {}), b" a:b "), Ok((None, some(" a:b "))));
        assert_eq!(pair(&form(|_| {}), b""), Ok((None, some(""))));
        assert_eq!(pair(&form(|form| form.empty_is_null = true), b""), Ok((None, None)));
    }

    #[test]
    fn a_separator_splits_at_its_first_place() {
        let split = form(|form| form.key_separator = some("::"));
        assert_eq!(pair(&split, b"k::v::w"), Ok((some("k"), some("v::w"))));
        assert!(pair(&split, b"k:v").expect_err("no separator").contains("no `::`"));
    }

    #[test]
    fn a_field_of_the_value_is_the_key_with_all_its_digits() {
        let keyed = form(|form| form.key_field = Some(vec!["order".into(), "id".into()]));
        assert_eq!(pair(&keyed, br#"{"order":{"id":"A-1"}}"#).map(|found| found.0), Ok(some("A-1")));
        assert_eq!(pair(&keyed, br#"{"order":{"id":10.50}}"#).map(|found| found.0), Ok(some("10.50")));
        for piece in [&b"{\"order\":1}"[..], b"{\"order\":{\"id\":null}}", b"text", b"\xff"] {
            assert!(pair(&keyed, piece).is_err());
        }
    }

    #[test]
    fn flags_win_over_a_json_line_and_its_place_is_left_unless_kept() {
        let line = br#"{"topic":"other","partition":3,"timestamp_ms":9,"key":"k","value":{"a":1.0},"headers":{"h":"1","x":"2"}}"#;
        let plain = form(|form| form.input = Input::Jsonl).message(line).expect("a record");
        assert_eq!((plain.partition, plain.timestamp_ms, &*plain.topic), (None, None, "t"));
        assert_eq!(plain.value.as_deref(), Some(&b"{\"a\":1.0}"[..]));
        let flagged = form(|form| {
            form.input = Input::Jsonl;
            form.keep_place = true;
            form.key = Some(b"flag".to_vec());
            form.headers = vec![("h".into(), Some(b"flag".to_vec()))];
        });
        let message = flagged.message(line).expect("a record");
        assert_eq!((message.partition, message.timestamp_ms), (Some(3), Some(9)));
        assert_eq!(message.key.as_deref(), Some(&b"flag"[..]));
        assert_eq!(message.headers, vec![("x".into(), Some(b"2".to_vec())), ("h".into(), Some(b"flag".to_vec()))]);
    }
}
