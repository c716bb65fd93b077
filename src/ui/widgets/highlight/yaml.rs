//! Colours YAML line by line. Blocks of text and anchors are not followed: this is for reading, not for checking.

use super::{Piece, Token, push, quoted, run};

/// Colours a stretch; `inside` says whether it begins, and then whether it ends, behind a key on the same line.
pub fn pieces_from<'t>(text: &'t str, inside: &mut bool, pieces: &mut Vec<Piece<'t>>) {
    for line in text.split_inclusive('\n') {
        of_line(line, inside, pieces);
        // A tag may stand in the middle of a line: the rest of that line is still a value.
        *inside = !line.ends_with('\n');
    }
}

fn of_line<'t>(line: &'t str, inside: &bool, pieces: &mut Vec<Piece<'t>>) {
    let mut at = run(line, 0, |byte| byte == b' ');
    push(pieces, Token::Plain, line, 0, at);
    while !*inside && line[at..].starts_with("- ") {
        push(pieces, Token::Punctuation, line, at, at + 1);
        let next = run(line, at + 1, |byte| byte == b' ');
        push(pieces, Token::Plain, line, at + 1, next);
        at = next;
    }
    if !*inside && let Some(colon) = key_end(line, at) {
        push(pieces, Token::Key, line, at, colon);
        push(pieces, Token::Punctuation, line, colon, colon + 1);
        at = colon + 1;
    }
    value(line, at, pieces);
}

/// The colon behind a key that begins at `from`.
fn key_end(line: &str, from: usize) -> Option<usize> {
    let bytes = line.as_bytes();
    let after = match bytes.get(from)? {
        b'"' | b'\'' => quoted(line, from, bytes[from] == b'"'),
        b'#' => return None,
        _ => {
            from + line[from..].find(": ").or_else(|| line[from..].find(":\n")).or_else(|| {
                let trimmed = line.trim_end();
                (trimmed.len() > from && trimmed.ends_with(':')).then(|| trimmed.len() - 1 - from)
            })?
        }
    };
    (bytes.get(after) == Some(&b':') && !line[from..after].contains(" #")).then_some(after)
}

fn value<'t>(line: &'t str, from: usize, pieces: &mut Vec<Piece<'t>>) {
    let at = run(line, from, |byte| byte == b' ');
    push(pieces, Token::Plain, line, from, at);
    if at >= line.len() {
        return;
    }
    let end = match line.as_bytes()[at] {
        b'"' => quoted(line, at, true),
        b'\'' => quoted(line, at, false),
        b'#' => at,
        _ => at + line[at..].find(" #").unwrap_or(line.len() - at),
    };
    let words = line[at..end].trim_end();
    let token = match words {
        "true" | "false" | "null" | "~" | "yes" | "no" | "on" | "off" => Token::Literal,
        _ if words.parse::<f64>().is_ok() => Token::Number,
        "|" | ">" | "|-" | ">-" | "[]" | "{}" => Token::Punctuation,
        _ => Token::Text,
    };
    push(pieces, token, line, at, at + words.len());
    let comment = line[at + words.len()..].find('#').map_or(line.len(), |found| at + words.len() + found);
    let comment_end = line.trim_end().len().max(comment);
    push(pieces, Token::Plain, line, at + words.len(), comment);
    push(pieces, Token::Comment, line, comment, comment_end);
    push(pieces, Token::Plain, line, comment_end, line.len());
}
