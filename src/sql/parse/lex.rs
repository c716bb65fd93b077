//! Text to tokens, each with its range of bytes, once. White space goes; comments are kept apart. Total on any text.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Span as Range, Token, TokenWithSpan, Tokenizer, Whitespace};

use super::dialect::StreamDialect;
use super::source::Source;
use super::statement::{Diagnostic, Span};
use super::variables::{self, Lookup};

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Lexeme {
    pub token: Token,
    /// Line and column, for sqlparser.
    pub range: Range,
    pub span: Span,
}

impl Lexeme {
    /// Whether it is this word, unquoted, in any case.
    pub fn is(&self, word: &str) -> bool {
        self.bare().is_some_and(|bare| bare.eq_ignore_ascii_case(word))
    }

    pub fn is_one_of(&self, words: &[&str]) -> bool {
        self.bare().is_some_and(|bare| words.iter().any(|word| bare.eq_ignore_ascii_case(word)))
    }

    /// The text of an unquoted word.
    pub fn bare(&self) -> Option<&str> {
        match &self.token {
            Token::Word(word) if word.quote_style.is_none() => Some(&word.value),
            _ => None,
        }
    }

    /// The text of a word, quoted or not.
    pub fn word(&self) -> Option<&str> {
        match &self.token {
            Token::Word(word) => Some(&word.value),
            _ => None,
        }
    }

    /// The text of a string in single quotes.
    pub fn string(&self) -> Option<&str> {
        match &self.token {
            Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => Some(text),
            _ => None,
        }
    }

    /// The same place, another token.
    pub fn becomes(&self, token: Token) -> Lexeme {
        Lexeme { token, range: self.range, span: self.span }
    }

    /// Opens a bracket: +1; closes one: -1.
    pub fn depth(&self) -> i32 {
        match self.token {
            Token::LParen | Token::LBracket | Token::LBrace => 1,
            Token::RParen | Token::RBracket | Token::RBrace => -1,
            _ => 0,
        }
    }

    /// Whether an expression can end here, so that a clause can begin behind it.
    pub fn ends_operand(&self) -> bool {
        match &self.token {
            Token::Word(word) if word.quote_style.is_none() => !matches!(
                word.keyword,
                Keyword::SELECT
                    | Keyword::DISTINCT
                    | Keyword::ALL
                    | Keyword::FROM
                    | Keyword::WHERE
                    | Keyword::BY
                    | Keyword::HAVING
                    | Keyword::ON
                    | Keyword::USING
                    | Keyword::AND
                    | Keyword::OR
                    | Keyword::NOT
                    | Keyword::IN
                    | Keyword::LIKE
                    | Keyword::ILIKE
                    | Keyword::BETWEEN
                    | Keyword::CASE
                    | Keyword::WHEN
                    | Keyword::THEN
                    | Keyword::ELSE
                    | Keyword::AS
                    | Keyword::JOIN
                    | Keyword::QUALIFY
                    | Keyword::INTERVAL
            ),
            Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::DollarQuotedString(_)
            | Token::Placeholder(_)
            | Token::RParen
            | Token::RBracket
            | Token::RBrace
            | Token::Mul => true,
            Token::Word(_) => true,
            _ => false,
        }
    }
}

/// A comment and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub span: Span,
    /// Runs to the end of its line.
    pub line: bool,
}

/// Everything in a text that is not white space.
#[derive(Default)]
pub(super) struct Lexed {
    pub lexemes: Vec<Lexeme>,
    pub comments: Vec<Comment>,
    pub errors: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
    /// Whether the text ends in something that is not closed, which may have swallowed anything.
    pub is_cut: bool,
}

/// Tokens of a text; `${…}` outside of quotes is replaced where it stands, and is a name where there are no values.
pub(super) fn lex(source: &Source<'_>, lookup: Option<Lookup<'_>>) -> Lexed {
    let mut lexed = Lexed::default();
    let places = variables::unquoted(source.text);
    let text = variables::masked(source.text, &places);
    let (tokens, fault) = tokenize(&text);
    let mut walk = Walk { text: source.text, byte: 0, line: 1, column: 1 };
    for TokenWithSpan { token, span: range } in tokens {
        let start = walk.to(range.start);
        let span = Span { start, end: walk.to(range.end) };
        match token {
            Token::Whitespace(Whitespace::SingleLineComment { .. }) => {
                lexed.comments.push(Comment { span: trimmed(source.text, span), line: true });
            }
            Token::Whitespace(Whitespace::MultiLineComment(_)) => lexed.comments.push(Comment { span, line: false }),
            Token::Whitespace(_) => {}
            token => {
                let lexeme = Lexeme { token, range, span };
                let variable = places.iter().any(|place| span.start <= place.start && place.end <= span.end);
                match lookup {
                    Some(lookup) if variable => replace(source, &lexeme, &places, lookup, &mut lexed),
                    // Without values a variable is a name like any other.
                    None if variable => {
                        lexed.lexemes.push(lexeme.becomes(Token::make_word(source.slice(span), Some('"'))))
                    }
                    _ => lexed.lexemes.push(lexeme),
                }
            }
        }
    }
    if let Some((location, message)) = fault {
        lexed.is_cut = true;
        let start = source.byte(location.line, location.column).min(walk.byte.max(source.byte(location.line, 1)));
        lexed.errors.push(unfinished(source, start.min(source.text.len()), walk.byte, &message));
    }
    lexed
}

/// The tokens of a piece of SQL that is not in the text itself; those before the first fault.
fn tokenize(text: &str) -> (Vec<TokenWithSpan>, Option<(Location, String)>) {
    let mut tokens = Vec::new();
    let fault = Tokenizer::new(&StreamDialect, text).tokenize_with_location_into_buf(&mut tokens).err();
    (tokens, fault.map(|fault| (fault.location, fault.message)))
}

fn replace(source: &Source<'_>, lexeme: &Lexeme, places: &[Span], lookup: Lookup<'_>, lexed: &mut Lexed) {
    match variables::expand_places(source, lexeme.span, places, lookup) {
        Ok(text) => {
            let (tokens, fault) = tokenize(&text);
            if let Some((_, message)) = fault {
                let next = "the value of the variable must be whole tokens";
                lexed.errors.push(source.diagnostic(lexeme.span, message, next));
            }
            let kept = tokens.into_iter().filter(|inner| !matches!(inner.token, Token::Whitespace(_)));
            lexed.lexemes.extend(kept.map(|inner| lexeme.becomes(inner.token)));
        }
        Err(error) => {
            lexed.errors.push(error);
            lexed.lexemes.push(lexeme.clone());
        }
    }
}

/// What the tokenizer could not finish begins at the first byte behind the last whole token.
fn unfinished(source: &Source<'_>, told: usize, behind: usize, message: &str) -> Diagnostic {
    let rest = &source.text[behind..];
    let start = behind + (rest.len() - rest.trim_start().len());
    let start = if start < source.text.len() { start } else { told };
    let line = source.text[start..].find('\n').map_or(source.text.len(), |offset| start + offset);
    let what = match source.text[start..].chars().next() {
        Some('\'') => "the string that begins here is not closed".to_owned(),
        Some('"' | '`') => "the name that begins here is not closed".to_owned(),
        Some('/') => "the comment that begins here is not closed".to_owned(),
        _ => message.to_owned(),
    };
    let next = if what.ends_with("not closed") { "close it; a quote inside is written twice" } else { "" };
    source.diagnostic(Span { start, end: line }, what, next)
}

/// The range without the line's ending.
fn trimmed(text: &str, span: Span) -> Span {
    Span { start: span.start, end: span.start + text[span.start..span.end].trim_end().len() }
}

/// Turns sqlparser's lines and columns to bytes, forwards only.
struct Walk<'a> {
    text: &'a str,
    byte: usize,
    line: u64,
    column: u64,
}

impl Walk<'_> {
    fn to(&mut self, location: Location) -> usize {
        while (self.line, self.column) < (location.line, location.column) {
            let Some(character) = self.text[self.byte..].chars().next() else { break };
            self.byte += character.len_utf8();
            if character == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.byte
    }
}
