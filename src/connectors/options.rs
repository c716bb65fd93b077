//! Options of one end of a pipeline: text by dotted key, each with the place it came from. Reads no file.

use indexmap::IndexMap;

use crate::core::fault::Place;

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

impl<K: AsRef<str>, V: Into<String>> FromIterator<(K, V)> for Options {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut options = Self::default();
        for (key, text) in pairs {
            options.set(key.as_ref(), text, None);
        }
        options
    }
}
