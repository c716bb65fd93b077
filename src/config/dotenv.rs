//! Reads `.env`: what is written is what arrives. It never expands `$`, because passwords contain it, and never quotes a line in a fault.

use crate::core::fault::{Blame, Fault, Place};

/// Names, values and places in the order of the file, and a fault for every line that is no assignment.
pub fn parse(file: &str, text: &str) -> (Vec<(String, String, Place)>, Vec<Fault>) {
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut rest, mut line) = (text, 1u32);
    while !rest.is_empty() {
        let (taken, entry) = statement(rest);
        match entry {
            Ok(None) => {}
            Ok(Some((name, value))) => entries.push((name, value, Place::at(file, line, 1))),
            Err(what) => faults.push(
                Fault::new(Blame::Configuration, what)
                    .at(Place::at(file, line, 1))
                    .next("write NAME=value, NAME=\"value\" or NAME='value'"),
            ),
        }
        line += rest[..taken].matches('\n').count() as u32;
        rest = &rest[taken..];
    }
    (entries, faults)
}

type Statement = Result<Option<(String, String)>, &'static str>;

/// The first statement of a text: how many bytes it takes, its line end with it, and what it says.
fn statement(text: &str) -> (usize, Statement) {
    let end = text.find('\n').map_or(text.len(), |at| at + 1);
    let line = text[..end].trim();
    if line.is_empty() || line.starts_with('#') {
        return (end, Ok(None));
    }
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let Some((name, _)) = line.split_once('=') else { return (end, Err("this line is no assignment")) };
    let name = name.trim();
    let named = name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-'));
    if name.is_empty() || !named || name.starts_with(|letter: char| letter.is_ascii_digit()) {
        return (end, Err("this line's name is not one of a variable"));
    }
    let value_at = text.find('=').map_or(end, |at| at + 1);
    let indent = text[value_at..].len() - text[value_at..].trim_start_matches([' ', '\t']).len();
    let start = value_at + indent;
    let quote = text[start..].chars().next().filter(|quote| matches!(quote, '"' | '\''));
    let Some(quote) = quote else {
        let value = uncommented(text[value_at..end].trim_end_matches(['\n', '\r']));
        return (end, Ok(Some((name.to_owned(), value.trim().to_owned()))));
    };
    match quoted(&text[start + 1..], quote) {
        None => (end, Err("this line opens a quote that is never closed")),
        Some((length, value)) => {
            let after = start + 1 + length;
            let end = text[after..].find('\n').map_or(text.len(), |at| after + at + 1);
            let tail = text[after..end].trim();
            let clean = tail.is_empty() || tail.starts_with('#');
            (
                end,
                if clean {
                    Ok(Some((name.to_owned(), value)))
                } else {
                    Err("this line goes on after its closing quote")
                },
            )
        }
    }
}

/// An unquoted value ends at a `#` after white space; a `#` inside a word belongs to it.
fn uncommented(value: &str) -> &str {
    let mut before = ' ';
    for (at, letter) in value.char_indices() {
        if letter == '#' && before.is_whitespace() {
            return &value[..at];
        }
        before = letter;
    }
    value
}

/// A value up to its closing quote, over lines if need be: bytes with the quote, and the text without escapes.
fn quoted(text: &str, quote: char) -> Option<(usize, String)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            letter if letter == quote => return Some((at + letter.len_utf8(), value)),
            '\\' => match (quote, letters.next()?.1) {
                ('"', 'n') => value.push('\n'),
                ('"', 'r') => value.push('\r'),
                ('"', 't') => value.push('\t'),
                ('"', '$') => value.push('$'),
                (_, '\\') => value.push('\\'),
                (quote, other) if other == quote => value.push(quote),
                (_, other) => value.extend(['\\', other]),
            },
            letter => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String, u32)> {
        let (entries, faults) = parse(".env", text);
        assert!(faults.is_empty(), "{faults:?}");
        entries.into_iter().map(|(name, value, place)| (name, value, place.line)).collect()
    }

    #[test]
    fn a_value_arrives_as_it_is_written() {
        for (line, value) in [
            ("A=b", "b"),
            ("A = b c # note", "b c"),
            ("export A=b#c", "b#c"),
            ("A=pa$sw${o}rd", "pa$sw${o}rd"),
            ("A=", ""),
            ("A= # nothing", ""),
            ("A=\"b # c\" # note", "b # c"),
            ("A=\"q\\\"uote\\nline \\\\ \\d\"", "q\"uote\nline \\ \\d"),
            ("A='single \\n $x \"'", "single \\n $x \""),
            ("A='it\\'s'", "it's"),
            ("A=\"two\nlines\"", "two\nlines"),
            ("A=a:b{{c}}\\d", "a:b{{c}}\\d"),
            ("\u{feff}A=b\r\n", "b"),
        ] {
            assert_eq!(values(line), [("A".to_owned(), value.to_owned(), 1)], "{line}");
        }
    }

    #[test]
    fn lines_are_counted_over_values_that_span_several() {
        let found = values("# one\n\nA=\"x\ny\"\nB=2\n");
        assert_eq!(found, [("A".into(), "x\ny".into(), 3), ("B".into(), "2".into(), 5)]);
    }

    #[test]
    fn a_bad_line_is_named_and_never_quoted() {
        let (entries, faults) = parse(".env", "canary\n1A=canary\nA=\"canary\nB=2\nC=\"x\" canary\n");
        assert!(entries.is_empty(), "the open quote took the lines after it");
        assert_eq!(
            faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                ".env:1:1: this line is no assignment; write NAME=value, NAME=\"value\" or NAME='value'",
                ".env:2:1: this line's name is not one of a variable; write NAME=value, NAME=\"value\" or NAME='value'",
                ".env:3:1: this line goes on after its closing quote; write NAME=value, NAME=\"value\" or NAME='value'",
            ]
        );
    }
}
