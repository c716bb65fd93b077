//! Records as text: lines for people, JSON Lines for programs. What `produce` reads back is [`crate::formats::record_lines::read`].

pub mod print;

use std::io::{self, Write};

use clap::ValueEnum;
use clap::builder::PossibleValue;

use self::json::{JsonLines, Values};
use self::print::{Pattern, Printer};
use super::Format;
use super::output::Output;
use crate::core::record::Record;
pub use crate::formats::record_lines as json;

/// Records on their way to an output, in its format.
pub enum Lines {
    /// By a pattern.
    Text(Printer),
    /// One line of JSON each.
    Json(JsonLines),
}

impl Lines {
    /// Lines as the output wants them.
    pub fn new(pattern: Pattern, values: Values, output: &Output) -> Self {
        match output.format() {
            Format::Text => Self::Text(Printer::new(pattern, output.is_terminal())),
            Format::Json => Self::Json(JsonLines::new(values)),
        }
    }

    /// Writes one record.
    pub fn write(&mut self, to: &mut impl Write, record: &Record) -> io::Result<()> {
        match self {
            Self::Text(printer) => printer.write(to, record),
            Self::Json(lines) => lines.write(to, record),
        }
    }
}

impl ValueEnum for Values {
    fn value_variants<'v>() -> &'v [Self] {
        &[Self::Auto, Self::Text, Self::Base64]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Auto => {
                ("auto", "JSON objects and arrays as they are, other text as a string, bytes as `value_base64`")
            }
            Self::Text => ("text", "Text as a string, bytes as `value_base64`"),
            Self::Base64 => ("base64", "Always `value_base64`"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}
