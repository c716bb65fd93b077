//! CSV records to columns and rows to CSV (RFC 4180, any one-byte delimiter and quote). One record at a time: whoever
//! holds the file finds where records end.

mod decode;
mod encode;
mod fields;

pub use decode::{CsvDecoder, Target};
pub use encode::CsvEncoder;
pub use fields::split;

/// How CSV is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Between fields.
    pub delimiter: u8,
    /// Around a field that holds a delimiter, a quote or a line's end; doubled within it.
    pub quote: u8,
    /// What stands for NULL where it is not quoted.
    pub null: String,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"', null: String::new() }
    }
}

#[cfg(test)]
mod tests;
