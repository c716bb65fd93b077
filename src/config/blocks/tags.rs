//! Finds Jinja's tags in a text without running them: where they are and which names they give.

use std::collections::BTreeSet;
use std::ops::Range;

/// A stretch of a text; all stretches together are the text.
pub enum Piece {
    /// Anything else, `{% raw %}` with all that is in it, and `{# … #}`.
    Text(Range<usize>),
    /// A line that is a YAML comment.
    Comment(Range<usize>),
    /// `{{ … }}`.
    Expression(Range<usize>),
    /// `{% … %}`.
    Block(Range<usize>),
}

impl Piece {
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        let (Self::Text(range) | Self::Comment(range) | Self::Expression(range) | Self::Block(range)) = self;
        &text[range.clone()]
    }

    /// The names that a block tag gives to what comes after it.
    pub fn locals(&self, text: &str) -> BTreeSet<String> {
        let Self::Block(_) = self else { return BTreeSet::new() };
        let inner = self.text(text).trim_matches(['{', '}', '%', '-', '+']).trim();
        let (word, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        let mut names = match word {
            "for" => names(rest.split(" in ").next().unwrap_or_default()),
            "set" | "with" => {
                rest.split(',').flat_map(|part| names(part.split('=').next().unwrap_or_default())).collect()
            }
            "macro" | "call" | "import" | "from" => names(rest),
            _ => BTreeSet::new(),
        };
        if word == "for" {
            names.insert("loop".into());
        }
        names
    }
}

/// Cuts a text into pieces.
pub fn pieces(text: &str) -> Vec<Piece> {
    let (mut found, mut at, mut plain) = (Vec::new(), 0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let starts_line = at == 0 || text.as_bytes()[at - 1] == b'\n';
        let piece = if starts_line && rest.trim_start_matches([' ', '\t']).starts_with('#') {
            Piece::Comment(at..at + rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("{{") {
            Piece::Expression(at..at + tag_length(rest, "}}"))
        } else if rest.starts_with("{#") {
            Piece::Text(at..at + rest.find("#}").map_or(rest.len(), |end| end + 2))
        } else if rest.starts_with("{%") {
            let length = tag_length(rest, "%}");
            if names(&rest[..length]).len() == 1 && names(&rest[..length]).contains("raw") {
                let end = rest.find("endraw").map_or(rest.len(), |end| end + tag_length(&rest[end..], "%}"));
                Piece::Text(at..at + end)
            } else {
                Piece::Block(at..at + length)
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        if plain < at {
            found.push(Piece::Text(plain..at));
        }
        at += piece.text(text).len();
        plain = at;
        found.push(piece);
    }
    if plain < text.len() {
        found.push(Piece::Text(plain..text.len()));
    }
    found
}

/// Lines, from 0, at whose end a tag is still open.
pub fn lines_inside_tags(text: &str) -> BTreeSet<usize> {
    let (mut line, mut inside) = (0, BTreeSet::new());
    for piece in pieces(text) {
        for _ in piece.text(text).matches('\n') {
            let is_tag = !matches!(piece, Piece::Text(_) | Piece::Comment(_)) || piece.text(text).starts_with("{#");
            if is_tag {
                inside.insert(line);
            }
            line += 1;
        }
    }
    inside
}

/// Bytes up to the end of a tag; a closing mark inside of a quoted text does not close.
fn tag_length(text: &str, close: &str) -> usize {
    let mut quote = None;
    for (at, letter) in text.char_indices().skip(2) {
        match quote {
            Some(open) if open == letter => quote = None,
            Some(_) => {}
            None if text[at..].starts_with(close) => return at + close.len(),
            None if matches!(letter, '"' | '\'') => quote = Some(letter),
            None => {}
        }
    }
    text.len()
}

/// The words of a text that could be names.
pub fn names(text: &str) -> BTreeSet<String> {
    text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
        .filter(|word| word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_'))
        .map(ToOwned::to_owned)
        .collect()
}
