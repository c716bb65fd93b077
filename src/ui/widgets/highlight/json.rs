//! Colours JSON, whole or in stretches between Jinja tags.

use super::{Piece, Token, push, quoted, run};

/// Colours a whole text.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    pieces_from(text, &mut false, &mut pieces);
    pieces
}

/// Colours a stretch; `inside` says whether it begins, and then whether it ends, within a text.
pub fn pieces_from<'t>(text: &'t str, inside: &mut bool, pieces: &mut Vec<Piece<'t>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    if *inside {
        let end = closing(text, 0);
        push(pieces, Token::Text, text, 0, end.unwrap_or(text.len()));
        match end {
            Some(end) => (at, *inside) = (end, false),
            None => return,
        }
    }
    while at < bytes.len() {
        let (token, end) = match bytes[at] {
            b'"' => match closing(text, at + 1) {
                Some(end) => (if is_key(text, end) { Token::Key } else { Token::Text }, end),
                None => {
                    *inside = true;
                    (Token::Text, text.len())
                }
            },
            b'{' | b'}' | b'[' | b']' | b',' | b':' => (Token::Punctuation, at + 1),
            b'-' | b'0'..=b'9' => {
                (Token::Number, run(text, at, |byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')))
            }
            byte if byte.is_ascii_alphabetic() => {
                let end = run(text, at, |byte| byte.is_ascii_alphanumeric());
                (if matches!(&text[at..end], "true" | "false" | "null") { Token::Literal } else { Token::Plain }, end)
            }
            _ => {
                let other = |byte: u8| {
                    !matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b',' | b':' | b'-')
                        && !byte.is_ascii_alphanumeric()
                };
                (Token::Plain, run(text, at, other).max(at + 1))
            }
        };
        push(pieces, token, text, at, end);
        at = end;
    }
}

/// Behind the quote that ends a text whose inside begins at `from`.
fn closing(text: &str, from: usize) -> Option<usize> {
    // `quoted` wants to begin at a quote: the end is the same for an inside that begins anywhere.
    if from > 0 && text.as_bytes()[from - 1] == b'"' {
        let end = quoted(text, from - 1, true);
        return (end > from && text.as_bytes()[end - 1] == b'"' && !is_escaped(text, from, end - 1)).then_some(end);
    }
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(from) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn is_escaped(text: &str, from: usize, at: usize) -> bool {
    text[from..at].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn is_key(text: &str, end: usize) -> bool {
    text[end..].trim_start().starts_with(':')
}
