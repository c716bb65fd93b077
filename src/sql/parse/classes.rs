//! Tokens by class, for an editor that colours. Total on any text: what is no token is text.

use sqlparser::tokenizer::Token;

use super::lex::{self, Lexeme};
use super::source::Source;
use super::statement::Span;
use super::{variables, words};

/// What a range of the text is to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenClass {
    /// A word of the grammar.
    Keyword,
    /// A type.
    Type,
    /// A name that brackets follow.
    Function,
    /// A name of something.
    Name,
    /// A text in quotes.
    String,
    /// A number, with the unit of a length of time.
    Number,
    /// `=`, `+`, `->` and their like.
    Operator,
    /// Brackets, commas, semicolons.
    Punctuation,
    /// A comment.
    Comment,
    /// `-- @key: value`.
    Annotation,
    /// `${NAME}`.
    Variable,
    /// What is not SQL, and what is not finished.
    Unknown,
}

/// The tokens of a text in order, without white space. Ranges do not overlap.
pub fn tokens(text: &str) -> Vec<(Span, TokenClass)> {
    let source = Source::new(text, "");
    let lexed = lex::lex(&source, None);
    let places = variables::unquoted(text);
    let mut found: Vec<(Span, TokenClass)> = Vec::with_capacity(lexed.lexemes.len() + lexed.comments.len());
    for (index, lexeme) in lexed.lexemes.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| lexed.lexemes.get(index));
        let class = if places.iter().any(|place| lexeme.span.start <= place.start && place.end <= lexeme.span.end) {
            TokenClass::Variable
        } else {
            class(before, lexeme, lexed.lexemes.get(index + 1))
        };
        found.push((lexeme.span, class));
    }
    for comment in &lexed.comments {
        let body = source.slice(comment.span).trim_start_matches('-').trim_start();
        let class = if comment.line && body.starts_with('@') { TokenClass::Annotation } else { TokenClass::Comment };
        found.push((comment.span, class));
    }
    if let Some(error) = lexed.errors.first() {
        let start = error.span.start;
        let class = match text[start..].chars().next() {
            Some('\'') => TokenClass::String,
            Some('/') => TokenClass::Comment,
            _ => TokenClass::Unknown,
        };
        found.retain(|(span, _)| span.end <= start);
        let end = start + text[start..].trim_end().len();
        found.push((Span { start, end }, class));
    }
    found.retain(|(span, _)| span.start < span.end);
    found.sort_by_key(|(span, _)| span.start);
    found
}

fn class(before: Option<&Lexeme>, lexeme: &Lexeme, after: Option<&Lexeme>) -> TokenClass {
    match &lexeme.token {
        Token::Word(word) if word.quote_style.is_some() => TokenClass::Name,
        Token::Word(word) => {
            let part = before.is_some_and(|before| before.token == Token::Period);
            let called = after.is_some_and(|after| after.token == Token::LParen);
            let unit = before.is_some_and(|before| {
                matches!(before.token, Token::Number(..)) && before.span.end == lexeme.span.start
            });
            match word.value.as_str() {
                _ if part => TokenClass::Name,
                _ if unit => TokenClass::Number,
                value if words::has(words::RESERVED, value) => TokenClass::Keyword,
                value if words::has(words::TYPES, value) => TokenClass::Type,
                value if words::has(words::CONTEXTUAL, value) => TokenClass::Keyword,
                _ if called => TokenClass::Function,
                _ => TokenClass::Name,
            }
        }
        Token::Number(..) => TokenClass::Number,
        Token::SingleQuotedString(_)
        | Token::EscapedStringLiteral(_)
        | Token::UnicodeStringLiteral(_)
        | Token::NationalStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::SingleQuotedByteStringLiteral(_)
        | Token::SingleQuotedRawStringLiteral(_) => TokenClass::String,
        Token::LParen
        | Token::RParen
        | Token::LBracket
        | Token::RBracket
        | Token::LBrace
        | Token::RBrace
        | Token::Comma
        | Token::SemiColon
        | Token::Period => TokenClass::Punctuation,
        Token::Char(_) | Token::Placeholder(_) | Token::Backslash => TokenClass::Unknown,
        _ => TokenClass::Operator,
    }
}
