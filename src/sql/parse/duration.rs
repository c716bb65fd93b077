//! Lengths of time among tokens, in every spelling: `5m`, `5 MINUTES`, `INTERVAL '5' MINUTE`, `INTERVAL '5 minutes'`.

use std::time::Duration;

use sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::statement::Diagnostic;
pub use crate::core::duration::measure;
use crate::core::duration::unit;

/// A length of time if one stands next; `Ok(None)` leaves the cursor where it was.
pub(super) fn duration(cursor: &mut Cursor<'_>) -> Result<Option<Duration>, Diagnostic> {
    let begin = cursor.at;
    let interval = cursor.take(&["INTERVAL"]);
    let span = cursor.span();
    let amount = match cursor.peek().map(|lexeme| &lexeme.token) {
        Some(Token::Number(text, false)) => text.clone(),
        Some(Token::SingleQuotedString(text)) => text.clone(),
        _ if interval => return Err(cursor.missing("a length of time", "write INTERVAL '5' MINUTE")),
        _ => {
            cursor.at = begin;
            return Ok(None);
        }
    };
    let text = cursor.peek().is_some_and(|lexeme| lexeme.string().is_some());
    cursor.next();
    let unit = cursor.peek().and_then(|lexeme| lexeme.bare()).filter(|word| unit(word).is_some());
    let whole = match unit {
        Some(unit) => {
            cursor.next();
            format!("{amount} {unit}")
        }
        None => amount.clone(),
    };
    match measure(&whole) {
        Ok(duration) => Ok(Some(duration)),
        // A plain string is not a length of time; a number or an INTERVAL was meant to be one.
        Err(_) if text && !interval && unit.is_none() => {
            cursor.at = begin;
            Ok(None)
        }
        Err(what) => {
            let next = match cursor.peek().and_then(|lexeme| lexeme.bare()) {
                Some(word) if is_calendar(word) => "a month has no fixed length: use days",
                _ => "write 500ms, 10s, 5m, 1h, 7d, 1w, INTERVAL '5' MINUTE or 5 MINUTES",
            };
            Err(cursor.source.diagnostic(span, what, next))
        }
    }
}

fn is_calendar(word: &str) -> bool {
    ["month", "months", "quarter", "quarters", "year", "years"].iter().any(|unit| word.eq_ignore_ascii_case(unit))
}
