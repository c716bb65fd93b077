//! `config/console.yaml`: how the console looks and behaves. Names of commands and panes are checked by the console, which knows them.

use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// `config/console.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConsoleConfig {
    /// Theme: one that is compiled in, or a file of `themes/` without its `.yaml`.
    pub theme: String,
    /// Keys by command: one chord, a list of chords, or `null` to unbind. Commands that are not named keep their keys. The
    /// console names the commands behind `?`, the README has them all.
    pub keys: IndexMap<String, Option<Chords>>,
    /// Most frames a second, 1 to 60. Fewer are drawn when nothing changes.
    #[schemars(range(min = 1, max = 60))]
    pub frame_rate: u32,
    /// Records a tail keeps for the view, 100 to 100,000.
    #[schemars(range(min = 100, max = 100_000))]
    pub tail_capacity: u32,
    /// `local`, `UTC`, or a name of the IANA database as `Europe/Berlin`.
    pub time_zone: String,
    /// How times are written, in strftime's letters.
    pub time_format: String,
    /// Panes and their order; an empty list means all.
    pub panes: Vec<String>,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self {
            theme: "dark".into(),
            keys: IndexMap::new(),
            // More is not seen in text.
            frame_rate: 30,
            tail_capacity: 2_000,
            time_zone: "local".into(),
            time_format: "%H:%M:%S".into(),
            panes: Vec::new(),
        }
    }
}

/// The chords of a command as the file writes them, such as `ctrl+p` or `g g`: at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Chords(#[schemars(with = "OneOrMany")] pub Vec<String>);

#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "only the schema is used: it tells editors both spellings")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for Chords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Chords;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a chord, a list of chords, or null")
            }

            fn visit_str<E: serde::de::Error>(self, chord: &str) -> Result<Chords, E> {
                Ok(Chords(vec![chord.to_owned()]))
            }

            fn visit_u64<E: serde::de::Error>(self, digit: u64) -> Result<Chords, E> {
                Ok(Chords(vec![digit.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Chords, A::Error> {
                let mut chords = Vec::new();
                while let Some(chord) = list.next_element()? {
                    chords.push(chord);
                }
                Ok(Chords(chords))
            }
        }

        deserializer.deserialize_any(OneOrMore)
    }
}
