//! Light lexers that colour JSON, YAML and the Jinja in both. They never fail: what they do not know is plain.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::ui::theme::{Role, Theme};

mod jinja;
mod json;
mod yaml;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// Nothing special.
    Plain,
    /// Name of a value.
    Key,
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true`, `false`, `null`, and the like.
    Literal,
    /// A word of the language; a filter.
    Keyword,
    /// Brackets, commas, delimiters.
    Punctuation,
    /// For people only.
    Comment,
}

impl Token {
    /// How it looks.
    pub fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Plain => theme.role(Role::Text),
            Self::Key => theme.role(Role::Chart1),
            Self::Text => theme.role(Role::Chart2),
            Self::Number => theme.role(Role::Chart3),
            Self::Literal => theme.role(Role::Chart4),
            Self::Keyword => theme.role(Role::Chart5),
            Self::Punctuation => theme.role(Role::Muted),
            Self::Comment => theme.role(Role::Muted).add_modifier(Modifier::ITALIC),
        }
    }
}

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// JSON as it is sent.
    Json,
    /// A template of JSON.
    JsonTemplate,
    /// YAML, with Jinja or without.
    Yaml,
    /// Words.
    Text,
}

impl Language {
    /// By the name of a file.
    pub fn of(file: &str) -> Self {
        match file {
            _ if file.ends_with(".json.j2") => Self::JsonTemplate,
            _ if file.ends_with(".json") => Self::Json,
            _ if file.ends_with(".yaml") || file.ends_with(".yml") => Self::Yaml,
            _ if file.ends_with(".j2") => Self::JsonTemplate,
            _ => Self::Text,
        }
    }
}

/// A piece of text and what it is.
pub type Piece<'t> = (Token, &'t str);

/// The text in pieces, in order and complete: put together they are the text.
pub fn pieces(text: &str, language: Language) -> Vec<Piece<'_>> {
    match language {
        Language::Json => json::pieces(text),
        Language::JsonTemplate => jinja::pieces(text, json::pieces_from),
        Language::Yaml => jinja::pieces(text, yaml::pieces_from),
        Language::Text => vec![(Token::Plain, text)],
    }
}

/// The text in styled lines.
pub fn lines<'t>(text: &'t str, language: Language, theme: &Theme) -> Vec<Line<'t>> {
    let mut lines = vec![Line::default()];
    for (token, piece) in pieces(text, language) {
        for (at, part) in piece.split('\n').enumerate() {
            if at > 0 {
                lines.push(Line::default());
            }
            let part = part.strip_suffix('\r').unwrap_or(part);
            if !part.is_empty()
                && let Some(line) = lines.last_mut()
            {
                line.spans.push(Span::styled(part, token.style(theme)));
            }
        }
    }
    lines
}

/// Adds `text[from..to]` as a piece, if there is any.
fn push<'t>(pieces: &mut Vec<Piece<'t>>, token: Token, text: &'t str, from: usize, to: usize) {
    if from < to {
        pieces.push((token, &text[from..to]));
    }
}

/// Bytes from `from` on for which `holds`.
fn run(text: &str, from: usize, holds: impl Fn(u8) -> bool) -> usize {
    from + text.as_bytes()[from..].iter().take_while(|byte| holds(**byte)).count()
}

/// The end of a quoted text that begins at `from`; the end of the text where the quote is missing.
fn quoted(text: &str, from: usize, escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = from + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 1,
            byte if byte == bytes[from] => return at + 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces as `token:text`, without those that are plain or only blank.
    fn told(text: &str, language: Language) -> Vec<String> {
        pieces(text, language)
            .into_iter()
            .filter(|(token, piece)| *token != Token::Plain && !piece.trim().is_empty())
            .map(|(token, piece)| format!("{token:?}:{piece}"))
            .collect()
    }

    #[test]
    fn json_tells_keys_from_texts_and_keeps_numbers_as_written() {
        assert_eq!(
            told(r#"{"a": "b\"c", "n": -1204.50, "t": true}"#, Language::Json),
            [
                "Punctuation:{",
                "Key:\"a\"",
                "Punctuation::",
                "Text:\"b\\\"c\"",
                "Punctuation:,",
                "Key:\"n\"",
                "Punctuation::",
                "Number:-1204.50",
                "Punctuation:,",
                "Key:\"t\"",
                "Punctuation::",
                "Literal:true",
                "Punctuation:}",
            ]
        );
    }

    #[test]
    fn jinja_is_seen_inside_a_text_of_json() {
        assert_eq!(
            told("{# who #}{\"id\": \"C-{{ n | upper }}\"{% if x %},{% endif %}", Language::JsonTemplate),
            [
                "Comment:{# who #}",
                "Punctuation:{",
                "Key:\"id\"",
                "Punctuation::",
                "Text:\"C-",
                "Punctuation:{{",
                "Punctuation:|",
                "Keyword:upper",
                "Punctuation:}}",
                "Text:\"",
                "Punctuation:{%",
                "Keyword:if",
                "Punctuation:%}",
                "Punctuation:,",
                "Punctuation:{%",
                "Keyword:endif",
                "Punctuation:%}",
            ]
        );
    }

    #[test]
    fn yaml_tells_keys_values_and_comments() {
        assert_eq!(
            told("- name: \"a: b\" # c\n  count: 12\n  on: true\n  url: http://x#y\n", Language::Yaml),
            [
                "Punctuation:-",
                "Key:name",
                "Punctuation::",
                "Text:\"a: b\"",
                "Comment:# c",
                "Key:count",
                "Punctuation::",
                "Number:12",
                "Key:on",
                "Punctuation::",
                "Literal:true",
                "Key:url",
                "Punctuation::",
                "Text:http://x#y",
            ]
        );
    }

    proptest! {
        #[test]
        fn no_text_is_lost_or_makes_a_lexer_fail(text in "[\\PC\n\"'{}%#|:\\\\-]{0,80}") {
            for language in [Language::Json, Language::JsonTemplate, Language::Yaml, Language::Text] {
                let together: String = pieces(&text, language).into_iter().map(|(_, piece)| piece).collect();
                prop_assert_eq!(&together, &text);
            }
        }
    }
}
