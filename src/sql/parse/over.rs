//! `ROWS WINDOW BUFFER n ROWS …` to a standard OVER with a frame of at most n rows and a mark of what the buffer says more.

use std::time::Duration;

use sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::duration::duration;
use super::lex::Lexeme;
use super::mark::Mark;
use super::reader::Reader;
use super::statement::{Diagnostic, Span};

/// Rows of one buffer: a million rows of 100 bytes are 100 MB for each key, and more is a table.
const BUFFER_ROWS_MAX: u64 = 1_000_000;

const HINT: &str = "write ROWS WINDOW BUFFER 100 ROWS PARTITION BY … ORDER BY …";

/// What a buffer says.
struct Buffer {
    /// Rows kept, at least one.
    rows: u64,
    /// Whether results come only when it is full (`EMIT ON BUFFER FULL`); otherwise with every record.
    when_full: bool,
    /// `EXPIRE AFTER INTERVAL … INACTIVITY`; never where absent.
    expires: Option<Duration>,
}

/// Whether what stands between the brackets of an OVER asks for a buffer.
pub(super) fn begins(inner: &[Lexeme]) -> bool {
    matches!(inner, [rows, window, ..] if rows.is("ROWS") && window.is("WINDOW"))
}

/// Takes the buffer out; what remains is standard SQL.
pub(super) fn read(reader: &Reader<'_>, inner: &[Lexeme], end: Span) -> Result<Vec<Lexeme>, Diagnostic> {
    let mut cursor = Cursor::new(reader.source, inner, end);
    cursor.take(&["ROWS", "WINDOW"]);
    cursor.expect_word("BUFFER", HINT)?;
    let count = cursor.span();
    let rows = match cursor.next().map(|lexeme| &lexeme.token) {
        Some(Token::Number(text, _)) => text.parse::<u64>().ok(),
        _ => None,
    };
    let Some(rows) = rows.filter(|rows| (1..=BUFFER_ROWS_MAX).contains(rows)) else {
        let what = format!("a buffer holds from 1 to {BUFFER_ROWS_MAX} rows");
        return Err(reader.source.diagnostic(count, what, HINT));
    };
    cursor.expect_word("ROWS", HINT)?;
    // `ROWS WINDOW BUFFER 100 ROWS, PARTITION BY …`
    cursor.take_token(&Token::Comma);
    let mut buffer = Buffer { rows, when_full: false, expires: None };
    let mut plain: Vec<Lexeme> = Vec::new();
    let mut framed = false;
    let mut depth = 0;
    while let Some(lexeme) = cursor.peek() {
        if depth == 0 && cursor.take(&["EMIT"]) {
            if cursor.take(&["ON", "BUFFER", "FULL"]) {
                buffer.when_full = true;
            } else if !cursor.take(&["EVERY", "RECORD"]) {
                return Err(cursor.expected_one_of(&["EVERY RECORD", "ON BUFFER FULL"]));
            }
            continue;
        }
        if depth == 0 && cursor.take(&["EXPIRE"]) {
            let after = cursor.take(&["AFTER"]);
            if cursor.take(&["NEVER"]) {
                continue;
            }
            let next = "write EXPIRE AFTER INTERVAL '1' HOUR INACTIVITY, or EXPIRE NEVER";
            let Some(length) = duration(&mut cursor)?.filter(|_| after) else {
                return Err(cursor.missing("a length of time or NEVER", next));
            };
            cursor.take(&["INACTIVITY"]);
            buffer.expires = Some(length);
            continue;
        }
        depth += lexeme.depth();
        framed |= depth == 0 && lexeme.is_one_of(&["ROWS", "RANGE", "GROUPS"]);
        plain.push(lexeme.clone());
        cursor.next();
    }
    if !framed {
        let anchor = plain.last().or(inner.first()).cloned();
        if let Some(anchor) = anchor {
            let word = Token::make_keyword;
            let frame = [
                word("ROWS"),
                word("BETWEEN"),
                Token::Number((rows - 1).to_string(), false),
                word("PRECEDING"),
                word("AND"),
                word("CURRENT"),
                word("ROW"),
            ];
            plain.extend(frame.into_iter().map(|token| anchor.becomes(token)));
        }
    }
    Ok(marked(&buffer, plain, inner.first()))
}

/// What remains with the mark of its buffer first among what it is partitioned by.
fn marked(buffer: &Buffer, plain: Vec<Lexeme>, anchor: Option<&Lexeme>) -> Vec<Lexeme> {
    let Some(anchor) = anchor else { return plain };
    let silence = buffer.expires.map_or(-1, |length| i64::try_from(length.as_millis()).unwrap_or(i64::MAX));
    let number = |text: String| Token::Number(text, false);
    let mut mark = vec![
        Token::make_word(Mark::Buffer.name(), None),
        Token::LParen,
        number(buffer.rows.to_string()),
        Token::Comma,
        number(u8::from(buffer.when_full).to_string()),
        Token::Comma,
    ];
    mark.extend((silence < 0).then_some(Token::Minus));
    mark.extend([number(silence.unsigned_abs().to_string()), Token::RParen]);
    let (by, rest) = match plain.as_slice() {
        [partition, by, ..] if partition.is("PARTITION") && by.is("BY") => {
            mark.push(Token::Comma);
            plain.split_at(2)
        }
        _ => (&[][..], plain.as_slice()),
    };
    let words = ["PARTITION", "BY"].into_iter().filter(|_| by.is_empty()).map(Token::make_keyword);
    let mark = words.chain(mark).map(|token| anchor.becomes(token));
    by.iter().cloned().chain(mark.collect::<Vec<_>>()).chain(rest.iter().cloned()).collect()
}
