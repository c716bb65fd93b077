//! Where the fields of a CSV record begin and end, their quotes resolved.

use memchr::memchr;

use super::Dialect;
use crate::formats::json::scan::Bad;

/// A field: where it ends (the delimiter, or the record's end) and whether it had quotes.
pub(super) struct FieldEnd {
    pub end: usize,
    pub is_quoted: bool,
}

/// The text of the field at `at` into `text`, its quotes resolved.
pub(super) fn field(record: &[u8], at: usize, dialect: &Dialect, text: &mut Vec<u8>) -> Result<FieldEnd, Bad> {
    text.clear();
    let rest = &record[at.min(record.len())..];
    if rest.first() != Some(&dialect.quote) {
        let length = memchr(dialect.delimiter, rest).unwrap_or(rest.len());
        text.extend_from_slice(&rest[..length]);
        return Ok(FieldEnd { end: at + length, is_quoted: false });
    }
    let mut from = 1;
    loop {
        let Some(length) = memchr(dialect.quote, &rest[from..]) else {
            return Err(Bad::malformed(at, "a quote without its end"));
        };
        text.extend_from_slice(&rest[from..from + length]);
        let after = from + length + 1;
        match rest.get(after) {
            Some(byte) if *byte == dialect.quote => {
                text.push(dialect.quote);
                from = after + 1;
            }
            Some(byte) if *byte == dialect.delimiter => return Ok(FieldEnd { end: at + after, is_quoted: true }),
            None => return Ok(FieldEnd { end: at + after, is_quoted: true }),
            Some(_) => return Err(Bad::malformed(at + after, "text behind a closing quote")),
        }
    }
}

/// The fields of one record as texts, for headers and samples; whether each was quoted.
///
/// # Errors
/// A quote without its end, or text that is no UTF-8.
pub fn split(record: &[u8], dialect: &Dialect) -> Result<Vec<(String, bool)>, Bad> {
    let (mut fields, mut at, mut text) = (Vec::new(), 0, Vec::new());
    loop {
        let field = field(record, at, dialect, &mut text)?;
        let text = String::from_utf8(text.clone()).map_err(|_| Bad::malformed(at, "the record is no UTF-8"))?;
        fields.push((text, field.is_quoted));
        if field.end >= record.len() {
            return Ok(fields);
        }
        at = field.end + 1;
    }
}
