//! Options of one end of a pipeline: text by dotted key, each with the place it came from. Reads no file.

use std::time::Duration;

use indexmap::IndexMap;

use crate::core::duration::measure;
use crate::core::fault::{Blame, Fault, Place};

/// Options by key in lower case, in the order they were written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options(IndexMap<String, OptionValue>);

/// The value of one option.
#[derive(Debug, Clone, PartialEq)]
pub struct OptionValue {
    /// The value, variables resolved.
    pub text: String,
    /// Where it stands, if in a file or a statement.
    pub place: Option<Place>,
}

impl Options {
    /// Sets an option; the key is lowered.
    pub fn set(&mut self, key: &str, text: impl Into<String>, place: Option<Place>) {
        self.0.insert(key.to_lowercase(), OptionValue { text: text.into(), place });
    }

    /// The text of an option.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.text.as_str())
    }

    /// The value of an option with its place.
    pub fn value(&self, key: &str) -> Option<&OptionValue> {
        self.0.get(key)
    }

    /// Every option, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &OptionValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Takes an option out.
    pub fn remove(&mut self, key: &str) -> Option<OptionValue> {
        self.0.shift_remove(key)
    }

    /// A switch; `None` where it is absent.
    ///
    /// # Errors
    /// Anything but `true` and `false` (`yes`, `no`, `on`, `off`, `1`, `0`).
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, Fault> {
        self.parsed(key, "`true` or `false`", boolean)
    }

    /// A whole number from 0.
    ///
    /// # Errors
    /// Anything else.
    pub fn number(&self, key: &str) -> Result<Option<u64>, Fault> {
        self.parsed(key, "a whole number", |text| text.replace('_', "").parse().ok())
    }

    /// A length of time: `500ms`, `10s`, `5m`, `1h`, `7d`; a number without a unit is milliseconds.
    ///
    /// # Errors
    /// Anything else.
    pub fn duration(&self, key: &str) -> Result<Option<Duration>, Fault> {
        self.parsed(key, "a length of time such as `500ms`, `10s` or `5m`", duration)
    }

    /// A number of bytes: `64KB`, `1GB` (powers of 1024); a number without a unit is bytes.
    ///
    /// # Errors
    /// Anything else.
    pub fn bytes(&self, key: &str) -> Result<Option<u64>, Fault> {
        self.parsed(key, "a size such as `64KB` or `1GB`", bytes)
    }

    /// The value of an option as `read` understands it.
    ///
    /// # Errors
    /// A value that it does not understand, named with its place and with what was `expected`.
    pub fn parsed<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        read(value.text.trim())
            .map(Some)
            .ok_or_else(|| self.fault(key, format!("`{key}` is `{}`, which is not {expected}", value.text)))
    }

    /// A fault about the value of an option, at its place.
    pub fn fault(&self, key: &str, what: impl Into<String>) -> Fault {
        let fault = Fault::new(Blame::Operator, what);
        match self.0.get(key).and_then(|value| value.place.clone()) {
            Some(place) => fault.at(place),
            None => fault,
        }
    }

    /// The options under `prefix`, without it.
    pub fn under(&self, prefix: &str) -> Options {
        Self(
            self.0
                .iter()
                .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone())))
                .collect(),
        )
    }

    /// These options, and those of `weaker` that are not among them.
    #[must_use]
    pub fn over(mut self, weaker: &Options) -> Self {
        for (key, value) in &weaker.0 {
            self.0.entry(key.clone()).or_insert_with(|| value.clone());
        }
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A switch as people write it.
pub fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A length of time as people write it; a bare number is milliseconds.
pub fn duration(text: &str) -> Option<Duration> {
    match text.trim().parse() {
        Ok(milliseconds) => Some(Duration::from_millis(milliseconds)),
        Err(_) => measure(text).ok(),
    }
}

/// A number of bytes as people write it, in powers of 1024.
pub fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text);
    let scale: u64 = match unit.as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(scale)
}

fn split_unit(text: &str) -> (&str, String) {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    (&text[..end], text[end..].trim().to_ascii_lowercase())
}

impl<K: AsRef<str>, V: Into<String>> FromIterator<(K, V)> for Options {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut options = Self::default();
        for (key, text) in pairs {
            options.set(key.as_ref(), text, None);
        }
        options
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lengths_of_time_and_sizes_are_read_as_people_write_them() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("10 s"), Some(Duration::from_secs(10)));
        assert_eq!(duration("1h"), Some(Duration::from_secs(3_600)));
        assert_eq!(duration("1h 30m"), Some(Duration::from_secs(5_400)));
        assert_eq!(duration("250"), Some(Duration::from_millis(250)));
        assert_eq!(duration("10 parsecs"), None);
        assert_eq!(duration("99999999999999999w"), None);
        assert_eq!(bytes("64KB"), Some(65_536));
        assert_eq!(bytes("1GB"), Some(1 << 30));
        assert_eq!(bytes("-1"), None);
    }

    #[test]
    fn a_value_that_cannot_be_read_is_named_with_its_place() {
        let mut options = Options::default();
        options.set("Watch", "perhaps", Some(Place::at("app.sql", 7, 3)));
        let fault = options.boolean("watch").unwrap_err();
        assert_eq!(fault.to_string(), "app.sql:7:3: `watch` is `perhaps`, which is not `true` or `false`");
    }
}
