//! From the place that a fault names to the bytes that are underlined.

use std::path::Path;

use crate::core::fault::{Fault, Place};
use crate::sql::parse::statement::{Diagnostic, Span};
use crate::sql::parse::{self, TokenClass};

/// The fault as a diagnostic within a statement: at the place it names, else at the first of its words that the statement
/// has, else at the statement's first word.
pub(super) fn diagnostic(text: &str, statement: Span, fault: Fault) -> Diagnostic {
    if let Some(place) = fault.place.as_ref().filter(|place| !place.file.is_empty()) {
        // What is wrong in a file that the statement names is said at its name, with the place in that file.
        let span = naming(text, statement, &place.file).unwrap_or_else(|| word(text, statement.start));
        let what = format!("{place}: {}", fault.what);
        return at(text, span, Fault { what, ..fault });
    }
    let told = fault.place.as_ref().filter(|place| place.line > 0 && place.column > 0);
    let span = told
        .map(|place| word(text, byte(text, place.line, place.column)))
        .map(|span| last_part(text, span, &fault))
        .or_else(|| quoted(&fault).iter().find_map(|name| find(text, statement, name)))
        .unwrap_or_else(|| word(text, statement.start));
    at(text, span, fault)
}

/// The fault as a diagnostic at a range.
pub(super) fn at(text: &str, span: Span, fault: Fault) -> Diagnostic {
    let (line, column) = position(text, span.start);
    Diagnostic { span, fault: fault.at(Place::at("", line, column)) }
}

/// Where a statement names a file, in quotes.
fn naming(text: &str, statement: Span, file: &str) -> Option<Span> {
    let part = text.get(statement.start..statement.end)?;
    let mut tokens = parse::tokens(part).into_iter().map(|(span, _)| span);
    let is_named = |span: &Span| {
        let written = part[span.start..span.end].trim_matches('\'');
        written.len() + 2 == span.end - span.start && Path::new(file).ends_with(written)
    };
    let found = tokens.find(is_named)?;
    Some(Span { start: statement.start + found.start, end: statement.start + found.end })
}

/// Where a name stands in a statement as a word of its own, or as several that points and hyphens join.
pub(super) fn find(text: &str, statement: Span, name: &str) -> Option<Span> {
    let part = text.get(statement.start..statement.end)?;
    let tokens = parse::tokens(part);
    for (index, (first, class)) in tokens.iter().enumerate() {
        if matches!(class, TokenClass::Comment | TokenClass::Annotation) {
            continue;
        }
        let mut end = first.end;
        for (next, _) in &tokens[index..] {
            if next.start > end {
                break;
            }
            end = next.end;
            let written = &part[first.start..end];
            if written == name || written.trim_matches(['"', '\'', '`']) == name {
                return Some(Span { start: statement.start + first.start, end: statement.start + end });
            }
        }
    }
    None
}

/// The byte of a line and column, both from 1.
fn byte(text: &str, line: u32, column: u32) -> usize {
    let start: usize = text.split_inclusive('\n').take(line as usize - 1).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    rest.char_indices().nth(column as usize - 1).map_or(text.len(), |(offset, _)| start + offset)
}

fn position(text: &str, byte: usize) -> (u32, u32) {
    let before = text.get(..byte).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// The word that begins at a byte, quotes included.
fn word(text: &str, start: usize) -> Span {
    let rest = text.get(start..).unwrap_or_default();
    let length = match rest.chars().next() {
        Some(quote @ ('"' | '\'' | '`')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
        _ => rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len()),
    };
    let least = rest.chars().next().map_or(0, char::len_utf8);
    Span { start, end: start + length.max(least) }
}

/// `o` of `o.amout` where the fault speaks of `amout`: the part it speaks of.
fn last_part(text: &str, span: Span, fault: &Fault) -> Span {
    let told = quoted(fault);
    let Some(name) = told.first() else { return span };
    let mut at = span;
    while text.get(at.start..at.end).is_some_and(|part| part.trim_matches('"') != *name) {
        if text.get(at.end..at.end + 1) != Some(".") {
            return span;
        }
        at = word(text, at.end + 1);
    }
    at
}

/// What a fault names in backquotes.
fn quoted(fault: &Fault) -> Vec<&str> {
    fault.what.split('`').skip(1).step_by(2).collect()
}

/// Every word of a statement outside of comments and texts, without quotes.
pub(super) fn words(text: &str, statement: Span) -> impl Iterator<Item = &str> {
    let part = text.get(statement.start..statement.end).unwrap_or_default();
    let names = parse::tokens(part).into_iter().filter(|(_, class)| {
        !matches!(class, TokenClass::Comment | TokenClass::Annotation | TokenClass::String | TokenClass::Punctuation)
    });
    names.map(move |(span, _)| part[span.start..span.end].trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fault::Blame;

    #[test]
    fn what_is_wrong_in_a_file_is_said_at_its_name_in_the_statement() {
        let text = "SELECT a\nFROM b\nWITH ('b.config_file' = 'config/b.yaml')";
        let statement = Span { start: 0, end: text.len() };
        let check = |file: &str, underlined: &str| {
            let fault = Fault::new(Blame::Operator, "no option `x`").at(Place::at(file, 4, 9));
            let found = diagnostic(text, statement, fault);
            assert_eq!(&text[found.span.start..found.span.end], underlined);
            assert_eq!(found.fault.what, format!("{file}:4:9: no option `x`"));
        };
        check("config/b.yaml", "'config/b.yaml'");
        check("/home/me/config/b.yaml", "'config/b.yaml'");
        // A file that another one extends.
        check("config/base.yaml", "SELECT");
    }
}
