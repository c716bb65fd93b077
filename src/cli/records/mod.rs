//! Records as text, both ways: lines for people, JSON Lines for programs, and what `produce` reads back. What was
//! written as JSON Lines is read back byte for byte, save that line breaks inside a JSON value become spaces.

pub mod json;
pub mod member;
pub mod print;
pub mod read;
pub mod time;

use std::io::{self, Write};

use self::json::{JsonLines, Values};
use self::print::{Pattern, Printer};
use super::Format;
use super::output::Output;
use crate::core::record::Record;

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
