//! A position in a run of tokens, and the ways brackets and commas cut such a run.

use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::lex::Lexeme;
use super::source::Source;
use super::statement::{Diagnostic, Span};
use crate::core::words::{alternatives, nearest};

/// Reads tokens from left to right.
pub(super) struct Cursor<'a> {
    pub lexemes: &'a [Lexeme],
    pub at: usize,
    pub source: &'a Source<'a>,
    /// What stands behind the last token.
    pub end: Span,
}

impl<'a> Cursor<'a> {
    pub fn new(source: &'a Source<'a>, lexemes: &'a [Lexeme], end: Span) -> Self {
        Self { lexemes, at: 0, source, end }
    }

    pub fn peek(&self) -> Option<&'a Lexeme> {
        self.lexemes.get(self.at)
    }

    pub fn ahead(&self, count: usize) -> Option<&'a Lexeme> {
        self.lexemes.get(self.at + count)
    }

    pub fn next(&mut self) -> Option<&'a Lexeme> {
        let lexeme = self.lexemes.get(self.at)?;
        self.at += 1;
        Some(lexeme)
    }

    pub fn rest(&self) -> &'a [Lexeme] {
        &self.lexemes[self.at.min(self.lexemes.len())..]
    }

    /// Where the next token stands, or the end.
    pub fn span(&self) -> Span {
        self.peek().map_or(self.end, |lexeme| lexeme.span)
    }

    /// Takes these words if they come next.
    pub fn take(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(index, word)| self.ahead(index).is_some_and(|next| next.is(word)));
        if found {
            self.at += words.len();
        }
        found
    }

    pub fn take_token(&mut self, token: &Token) -> bool {
        let found = self.peek().is_some_and(|lexeme| lexeme.token == *token);
        if found {
            self.at += 1;
        }
        found
    }

    pub fn expect(&mut self, token: &Token, next: &str) -> Result<&'a Lexeme, Diagnostic> {
        if self.take_token(token) {
            return Ok(&self.lexemes[self.at - 1]);
        }
        Err(self.missing(&format!("`{token}`"), next))
    }

    pub fn expect_word(&mut self, word: &str, next: &str) -> Result<(), Diagnostic> {
        if self.take(&[word]) { Ok(()) } else { Err(self.missing(word, next)) }
    }

    /// A name: a word, quoted or not, with what dots and hyphens join to it.
    pub fn name(&mut self, what: &str) -> Result<(String, Span), Diagnostic> {
        let taken = joined(self.rest());
        let Some(first) = self.peek().filter(|_| taken > 0) else { return Err(self.missing(what, "")) };
        let last = &self.lexemes[self.at + taken - 1];
        let span = Span { start: first.span.start, end: last.span.end };
        let text = self.rest()[..taken].iter().map(plain).collect();
        self.at += taken;
        Ok((text, span))
    }

    /// The tokens between the next `(` and its `)`.
    pub fn group(&mut self) -> Option<&'a [Lexeme]> {
        let range = inside(self.lexemes, self.at)?;
        self.at = range.end + 1;
        Some(&self.lexemes[range])
    }

    pub fn missing(&self, what: &str, next: &str) -> Diagnostic {
        let found =
            self.peek().map_or_else(|| "the end of the statement".to_owned(), |lexeme| shown(self.source, lexeme));
        self.source.diagnostic(self.span(), format!("expected {what}, found {found}"), next)
    }

    /// Expected one of these words; says the nearest.
    pub fn expected_one_of(&self, words: &[&str]) -> Diagnostic {
        let nearest = self.peek().and_then(Lexeme::word).and_then(|word| nearest(word, words.iter().copied()));
        let next = nearest.map(|word| format!("did you mean {word}?")).unwrap_or_default();
        self.missing(&alternatives(words), &next)
    }

    pub fn done(&self, next: &str) -> Result<(), Diagnostic> {
        if self.at >= self.lexemes.len() { Ok(()) } else { Err(self.missing("the end of the statement", next)) }
    }
}

/// A token as it stands in the text.
pub(super) fn shown(source: &Source<'_>, lexeme: &Lexeme) -> String {
    let text: String = source.slice(lexeme.span).chars().take(40).collect();
    format!("`{text}`")
}

/// The text of a part of a name.
fn plain(lexeme: &Lexeme) -> String {
    match &lexeme.token {
        Token::Word(word) => word.value.clone(),
        Token::SingleQuotedString(text) => text.clone(),
        token => token.to_string(),
    }
}

/// How many tokens make the name that a run begins with: `orders`, `"Orders"`, `qa.orders.v1`, `high-value-orders`.
/// Hyphens and numbers count only where nothing stands between them.
pub(super) fn joined(lexemes: &[Lexeme]) -> usize {
    if lexemes.first().and_then(Lexeme::word).is_none() {
        return 0;
    }
    let touches = |index: usize| matches!((lexemes.get(index), lexemes.get(index + 1)), (Some(left), Some(right)) if left.span.end == right.span.start);
    let mut taken = 1;
    loop {
        let joint = lexemes.get(taken).map(|lexeme| &lexeme.token);
        let part = lexemes.get(taken + 1);
        let goes_on = match (joint, part.map(|part| &part.token)) {
            (Some(Token::Period), Some(Token::Word(_))) => true,
            (Some(Token::Minus), Some(Token::Word(_) | Token::Number(..))) => touches(taken - 1) && touches(taken),
            // `v1.5` and `orders-2`: the number takes the dot with it.
            (Some(Token::Number(..) | Token::Word(_)), _) if touches(taken - 1) => {
                taken += 1;
                continue;
            }
            _ => false,
        };
        if !goes_on {
            return taken;
        }
        taken += 2;
    }
}

/// The range between the bracket at `open` and the one that closes it.
pub(super) fn inside(lexemes: &[Lexeme], open: usize) -> Option<Range<usize>> {
    if lexemes.get(open)?.token != Token::LParen {
        return None;
    }
    closing(lexemes, open).map(|close| open + 1..close)
}

/// Where the bracket at `open` closes.
pub(super) fn closing(lexemes: &[Lexeme], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (index, lexeme) in lexemes.iter().enumerate().skip(open) {
        depth += lexeme.depth();
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

/// Cuts a run at the commas that no bracket holds.
pub(super) fn by_commas(lexemes: &[Lexeme]) -> Vec<&[Lexeme]> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (index, lexeme) in lexemes.iter().enumerate() {
        depth += lexeme.depth();
        if depth == 0 && lexeme.token == Token::Comma {
            parts.push(&lexemes[start..index]);
            start = index + 1;
        }
    }
    if start < lexemes.len() || !parts.is_empty() {
        parts.push(&lexemes[start..]);
    }
    parts
}

/// From the first token to the last.
pub(super) fn covered(lexemes: &[Lexeme]) -> Option<Span> {
    Some(Span { start: lexemes.first()?.span.start, end: lexemes.last()?.span.end })
}
