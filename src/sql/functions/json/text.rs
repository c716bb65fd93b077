//! Walks JSON as it is written: finds where a value ends and what its members are. It decodes a text only when asked to,
//! allocates nothing else, and ends at the first byte that cannot be JSON.

use std::borrow::Cow;

/// Kinds of values by their first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`.
    Object,
    /// `[…]`.
    Array,
    /// `"…"`.
    Text,
    /// A number, `true` or `false`.
    Plain,
    /// `null`.
    Null,
}

/// The one value that `text` is, without the space around it; `None` if it is not one value.
pub fn value(text: &str) -> Option<&str> {
    let text = text.trim_matches(is_space);
    (end_of_value(text.as_bytes(), 0)? == text.len()).then_some(text)
}

/// What a value is.
pub fn kind(value: &str) -> Kind {
    match value.as_bytes().first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::Text,
        Some(b'n') => Kind::Null,
        _ => Kind::Plain,
    }
}

/// A text value without its quotes and escapes; `None` where an escape is wrong.
pub fn decode(quoted: &str) -> Option<Cow<'_, str>> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str::<String>(quoted).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// Members of an object (with their quoted keys) or elements of an array (with no key), in order.
pub struct Children<'a> {
    text: &'a str,
    at: usize,
    keyed: bool,
}

/// What is in an object or array; nothing for any other value.
pub fn children(value: &str) -> Children<'_> {
    let kind = kind(value);
    let at = if matches!(kind, Kind::Object | Kind::Array) { 1 } else { value.len() };
    Children { text: value, at, keyed: kind == Kind::Object }
}

impl<'a> Iterator for Children<'a> {
    type Item = (Option<&'a str>, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let mut at = skip_space(bytes, self.at);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
        let mut key = None;
        if self.keyed {
            let end = end_of_text(bytes, at)?;
            key = Some(&self.text[at..end]);
            at = skip_space(bytes, end);
            if bytes.get(at) != Some(&b':') {
                return None;
            }
            at = skip_space(bytes, at + 1);
        }
        let end = end_of_value(bytes, at)?;
        self.at = end;
        Some((key, &self.text[at..end]))
    }
}

/// Whether a quoted key says `name`.
pub fn is_key(quoted: &str, name: &str) -> bool {
    decode(quoted).is_some_and(|key| key == name)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The byte after the value that begins at `at`. Nesting is counted, not recursed into, so that depth costs no stack.
fn end_of_value(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => end_of_text(bytes, at),
        b'{' | b'[' => {
            let mut depth = 0usize;
            let mut at = at;
            loop {
                match bytes.get(at)? {
                    b'"' => {
                        at = end_of_text(bytes, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        b'-' | b'0'..=b'9' => {
            let plain = |byte: &&u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
            Some(at + bytes[at..].iter().take_while(plain).count())
        }
        _ => ["true", "false", "null"]
            .iter()
            .find(|word| bytes[at..].starts_with(word.as_bytes()))
            .map(|word| at + word.len()),
    }
}

fn end_of_text(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = at + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}
