//! `${NAME}`, `${NAME:-default}` and `${NAME:?message}`: found and replaced through a look-up that is passed in. Reads no environment.

use super::source::Source;
use super::statement::{Diagnostic, Span};

/// The value of a variable, if it is set.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What became of a text.
pub(super) struct Expanded {
    pub text: String,
    /// Names without a value or a default; they stay as written.
    pub unset: Vec<String>,
}

/// Ranges of `${…}` outside of quotes and comments.
pub(super) fn unquoted(text: &str) -> Vec<Span> {
    let mut places = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        at += match bytes[at] {
            quote @ (b'\'' | b'"' | b'`') => closing(&rest[1..], quote).map_or(rest.len(), |end| end + 2),
            b'-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            b'$' if rest.starts_with("${") => match whole(rest) {
                Some(length) => {
                    places.push(Span { start: at, end: at + length });
                    length
                }
                None => 1,
            },
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    places
}

/// The text with each place filled up by one `_` a character: a word of the same width.
pub(super) fn masked<'a>(text: &'a str, places: &[Span]) -> std::borrow::Cow<'a, str> {
    if places.is_empty() {
        return text.into();
    }
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for place in places {
        masked.push_str(&text[at..place.start]);
        masked.extend(text[place.start..place.end].chars().map(|_| '_'));
        at = place.end;
    }
    masked.push_str(&text[at..]);
    masked.into()
}

/// The text of `span` with the places inside it replaced; a variable without a value is an error there.
pub(super) fn expand_places(
    source: &Source<'_>,
    span: Span,
    places: &[Span],
    lookup: Lookup<'_>,
) -> Result<String, Diagnostic> {
    let mut text = String::new();
    let mut at = span.start;
    for place in places.iter().filter(|place| span.start <= place.start && place.end <= span.end) {
        text.push_str(&source.text[at..place.start]);
        let expanded = expand(source, source.slice(*place), *place, lookup)?;
        if let Some(name) = expanded.unset.first() {
            return Err(unset(source, *place, name));
        }
        text.push_str(&expanded.text);
        at = place.end;
    }
    text.push_str(&source.text[at..span.end]);
    Ok(text)
}

/// A text with every `${…}` in it replaced; `$${` is a plain `${`.
pub(super) fn expand(source: &Source<'_>, text: &str, span: Span, lookup: Lookup<'_>) -> Result<Expanded, Diagnostic> {
    let mut expanded = Expanded { text: String::with_capacity(text.len()), unset: Vec::new() };
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            expanded.text.push_str(before);
            expanded.text.push_str("${");
            rest = &from[2..];
            continue;
        }
        expanded.text.push_str(before);
        let Some(length) = whole(from) else {
            expanded.text.push_str("${");
            rest = &from[2..];
            continue;
        };
        let inner = &from[2..length - 1];
        rest = &from[length..];
        let (name, fallback) = match inner.split_once(':') {
            Some((name, fallback)) => (name, Some(fallback)),
            None => (inner, None),
        };
        let value = lookup(name);
        let filled = value.clone().filter(|value| !value.is_empty());
        match (fallback, filled, value) {
            (Some(_), Some(value), _) | (None, _, Some(value)) => expanded.text.push_str(&value),
            (Some(fallback), None, _) => {
                if let Some(message) = fallback.strip_prefix('?') {
                    let what = format!("variable `{name}` is not set: {message}");
                    return Err(source.diagnostic(span, what, format!("set {name} in the environment or in `.env`")));
                }
                expanded.text.push_str(fallback.strip_prefix('-').unwrap_or(fallback));
            }
            (None, _, None) => {
                expanded.unset.push(name.to_owned());
                expanded.text.push_str(&from[..length]);
            }
        }
    }
    expanded.text.push_str(rest);
    Ok(expanded)
}

/// The diagnostic of a variable that nobody set.
pub(super) fn unset(source: &Source<'_>, span: Span, name: &str) -> Diagnostic {
    let next = format!("set {name} in the environment or in `.env`, or write ${{{name}:-default}}");
    source.diagnostic(span, format!("variable `{name}` is not set"), next)
}

/// Length of the `${NAME…}` that a text begins with, on one line.
fn whole(text: &str) -> Option<usize> {
    let end = text.find(['}', '\n']).filter(|end| text.as_bytes()[*end] == b'}')?;
    let inner = &text[2..end];
    let name = inner.split(':').next().unwrap_or_default();
    let first = name.chars().next()?;
    let fits = (first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    let behind = inner[name.len()..].chars().nth(1);
    (fits && (inner.len() == name.len() || matches!(behind, Some('-' | '?')))).then_some(end + 1)
}

/// Where a quoted text ends; a doubled quote does not end it.
fn closing(text: &str, quote: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return Some(at);
            }
            at += 1;
        }
        at += 1;
    }
    None
}
