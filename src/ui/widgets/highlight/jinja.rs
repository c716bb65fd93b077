//! Colours Jinja tags and leaves what is between them to the language around.

use super::{Piece, Token, push, quoted, run};

/// Words of statements and expressions.
const KEYWORDS: [&str; 32] = [
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "in",
    "set",
    "endset",
    "macro",
    "endmacro",
    "call",
    "endcall",
    "filter",
    "endfilter",
    "block",
    "endblock",
    "extends",
    "include",
    "import",
    "from",
    "as",
    "with",
    "endwith",
    "raw",
    "endraw",
    "and",
    "or",
    "not",
    "is",
    "recursive",
    "do",
];

/// Colours one stretch of the language around; its state goes on behind a tag.
type Around = for<'t> fn(&'t str, &mut bool, &mut Vec<Piece<'t>>);

/// Colours a template.
pub fn pieces(text: &str, around: Around) -> Vec<Piece<'_>> {
    let (mut pieces, mut inside, mut at) = (Vec::new(), false, 0);
    while at < text.len() {
        let Some((tag, close)) = next_tag(text, at) else { break };
        if at < tag {
            around(&text[at..tag], &mut inside, &mut pieces);
        }
        let end = text[tag + 2..].find(close).map_or(text.len(), |found| tag + 2 + found + 2);
        match close {
            "#}" => push(&mut pieces, Token::Comment, text, tag, end),
            _ => expression(text, tag, end, close, &mut pieces),
        }
        at = end;
    }
    if at < text.len() {
        around(&text[at..], &mut inside, &mut pieces);
    }
    pieces
}

fn next_tag(text: &str, from: usize) -> Option<(usize, &'static str)> {
    let bytes = text.as_bytes();
    (from..bytes.len().saturating_sub(1)).find_map(|at| match (bytes[at], bytes[at + 1]) {
        (b'{', b'{') => Some((at, "}}")),
        (b'{', b'%') => Some((at, "%}")),
        (b'{', b'#') => Some((at, "#}")),
        _ => None,
    })
}

fn expression<'t>(text: &'t str, tag: usize, end: usize, close: &str, pieces: &mut Vec<Piece<'t>>) {
    let opened = tag + 2 + usize::from(matches!(text.as_bytes().get(tag + 2), Some(b'-' | b'+')));
    let closed = if text[..end].ends_with(close) && end - tag >= 4 { end - 2 } else { end };
    let opened = opened.min(closed);
    push(pieces, Token::Punctuation, text, tag, opened);
    let inner = &text[opened..closed];
    let (mut at, mut after_bar) = (0, false);
    while at < inner.len() {
        let (token, to) = match inner.as_bytes()[at] {
            b'"' | b'\'' => (Token::Text, quoted(inner, at, true)),
            byte if byte.is_ascii_digit() => {
                (Token::Number, run(inner, at, |byte| byte.is_ascii_digit() || byte == b'.'))
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let to = run(inner, at, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
                let token = match &inner[at..to] {
                    _ if after_bar => Token::Keyword,
                    "true" | "false" | "none" | "True" | "False" | "None" => Token::Literal,
                    word if KEYWORDS.contains(&word) => Token::Keyword,
                    _ => Token::Plain,
                };
                (token, to)
            }
            byte if byte.is_ascii_whitespace() => (Token::Plain, run(inner, at, |byte| byte.is_ascii_whitespace())),
            byte if byte.is_ascii() => (Token::Punctuation, at + 1),
            _ => (Token::Plain, run(inner, at, |byte| !byte.is_ascii())),
        };
        if token != Token::Plain || !inner[at..to].trim().is_empty() {
            after_bar = &inner[at..to] == "|";
        }
        push(pieces, token, inner, at, to);
        at = to;
    }
    push(pieces, Token::Punctuation, text, closed, end);
}
