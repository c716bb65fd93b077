//! A diagnostic as a person reads it: the place, the line, the range underlined, what to do.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use super::secrets::blotted;
use super::source::Source;
use super::statement::Diagnostic;

/// Columns of a line that are shown around the range: two terminals wide is still read at a glance.
const LINE_COLUMNS_MAX: usize = 160;

/// The diagnostic with its line of `text`, underlined by `^`.
pub fn render(diagnostic: &Diagnostic, text: &str) -> String {
    let text = &blotted(text);
    let source = Source::new(text, "");
    let start = floor(text, diagnostic.span.start);
    let (line, _) = source.position(start);
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let last = floor(text, diagnostic.span.end).clamp(start, end);
    // A long line is cut around the range, at its characters.
    let from = text[begin..start].char_indices().rev().nth(LINE_COLUMNS_MAX / 2).map_or(begin, |(at, _)| begin + at);
    let to = text[from..end].char_indices().nth(LINE_COLUMNS_MAX).map_or(end, |(at, _)| from + at);
    let number = line.to_string();
    let mut out = String::new();
    let place = diagnostic.fault.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let _ = writeln!(out, "{place}{}", diagnostic.fault.what);
    let _ = writeln!(out, "{number} | {}", shown(&text[from..to]));
    let width = columns(&text[start..last.min(to).max(start)]).max(1);
    let _ = writeln!(
        out,
        "{} | {}{}",
        " ".repeat(number.len()),
        " ".repeat(columns(&text[from..start])),
        "^".repeat(width)
    );
    if !diagnostic.fault.next.is_empty() {
        let _ = writeln!(out, "{} = {}", " ".repeat(number.len()), diagnostic.fault.next);
    }
    out
}

/// A line as it is printed: a tab is one column, and what a terminal would obey is a mark.
fn shown(line: &str) -> String {
    line.chars()
        .map(|character| match character {
            '\t' => ' ',
            character if character.is_control() => '\u{fffd}',
            character => character,
        })
        .collect()
}

/// Columns that a text takes on the screen.
fn columns(text: &str) -> usize {
    shown(text).chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// The boundary of a character at or before a byte.
fn floor(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
