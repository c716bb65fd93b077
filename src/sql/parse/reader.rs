//! What every part of the parser needs: the text, the variables, and sqlparser for what is plain SQL.

use std::cell::RefCell;

use datafusion_sql::sqlparser::ast as sql;
use datafusion_sql::sqlparser::parser::{Parser, ParserError};
use datafusion_sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::dialect::StreamDialect;
use super::hint;
use super::lex::Lexeme;
use super::source::Source;
use super::statement::{Diagnostic, Span};
use super::variables::Lookup;

/// How deep expressions and queries may be nested: with room for what a person writes, and far from the end of the
/// 2 MiB stack of a thread, also in a debug build.
const NESTING_MAX: usize = 50;

/// Words that a clause begins with, and those within one.
const CLAUSE_WORDS: &[&str] = &[
    "SELECT",
    "DISTINCT",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "WINDOW",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "EMIT",
    "CHANGES",
    "INTO",
    "WITH",
    "UNION",
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "FULL",
    "OUTER",
    "CROSS",
    "WITHIN",
    "BETWEEN",
    "PARTITION",
    "QUALIFY",
    "VALUES",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "EXISTS",
];

pub(super) struct Reader<'a> {
    pub source: &'a Source<'a>,
    pub lookup: Option<Lookup<'a>>,
    pub warnings: RefCell<Vec<Diagnostic>>,
    /// Variables in strings that nobody set, of the statement being read.
    pub unset: RefCell<Vec<(String, Span)>>,
}

impl Reader<'_> {
    pub fn warn(&self, span: Span, what: impl Into<String>, next: impl Into<String>) {
        self.warnings.borrow_mut().push(self.source.diagnostic(span, what, next));
    }

    /// A plain query, whole.
    pub fn query(&self, lexemes: &[Lexeme], end: Span) -> Result<Box<sql::Query>, Diagnostic> {
        self.whole(lexemes, end, |parser| parser.parse_query())
    }

    /// A plain expression, whole.
    pub fn expression(&self, lexemes: &[Lexeme], end: Span) -> Result<sql::Expr, Diagnostic> {
        self.whole(lexemes, end, |parser| parser.parse_expr())
    }

    /// A type that a run begins with, and how many tokens it takes.
    pub fn data_type(&self, lexemes: &[Lexeme], end: Span) -> Result<sql::DataType, Diagnostic> {
        self.whole(lexemes, end, |parser| parser.parse_data_type())
    }

    fn whole<T>(
        &self,
        lexemes: &[Lexeme],
        end: Span,
        parse: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
    ) -> Result<T, Diagnostic> {
        let tokens =
            lexemes.iter().map(|lexeme| TokenWithSpan { token: lexeme.token.clone(), span: lexeme.range }).collect();
        let mut parser =
            Parser::new(&StreamDialect).with_recursion_limit(NESTING_MAX).with_tokens_with_locations(tokens);
        let value = parse(&mut parser).map_err(|fault| self.fault(&fault, lexemes, end))?;
        match parser.peek_token() {
            TokenWithSpan { token: Token::EOF, .. } => Ok(value),
            next => {
                let at = lexemes.iter().position(|lexeme| lexeme.range == next.span);
                Err(self.unexpected("the end of the statement", at, lexemes, end))
            }
        }
    }

    /// sqlparser says `Expected: an expression, found: FROM at Line: 1, Column: 8`.
    fn fault(&self, fault: &ParserError, lexemes: &[Lexeme], end: Span) -> Diagnostic {
        let message = match fault {
            ParserError::RecursionLimitExceeded => {
                let span = super::cursor::covered(lexemes).unwrap_or(end);
                let what = format!("this is nested deeper than {NESTING_MAX} levels");
                return self.source.diagnostic(span, what, "give the inner parts names with WITH name AS (…)");
            }
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
        };
        let (said, place) = message.rsplit_once(" at Line: ").unwrap_or((message, ""));
        let at = place.split_once(", Column: ").and_then(|(line, column)| {
            let byte = self.source.byte(line.trim().parse().ok()?, column.trim().parse().ok()?);
            lexemes.iter().position(|lexeme| lexeme.span.start == byte)
        });
        match said.strip_prefix("Expected: ").and_then(|said| said.rsplit_once(", found: ")) {
            Some((expected, _)) => self.unexpected(expected, at, lexemes, end),
            None => {
                let span = at.map_or_else(|| super::cursor::covered(lexemes).unwrap_or(end), |at| lexemes[at].span);
                self.source.diagnostic(span, said, "")
            }
        }
    }

    fn unexpected(&self, expected: &str, at: Option<usize>, lexemes: &[Lexeme], end: Span) -> Diagnostic {
        let expected = match expected {
            "end of statement" => "the end of the statement",
            "an expression" | "expression" | "an expression:" => "an expression",
            "identifier" => "a name",
            other => other,
        };
        let (span, found) = match at {
            Some(at) => (lexemes[at].span, super::cursor::shown(self.source, &lexemes[at])),
            None => (end, "the end of the statement".to_owned()),
        };
        let next = misspelt(lexemes, at.unwrap_or(lexemes.len()));
        self.source.diagnostic(span, format!("expected {expected}, found {found}"), next.unwrap_or_default())
    }
}

/// A word at or just before the place that is nearly a keyword.
fn misspelt(lexemes: &[Lexeme], at: usize) -> Option<String> {
    let first = at.saturating_sub(2);
    let words = lexemes.get(first..(at + 1).min(lexemes.len()))?.iter().rev();
    for word in words.filter_map(Lexeme::bare) {
        if CLAUSE_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)) {
            continue;
        }
        if let Some(known) = hint::nearest(word, CLAUSE_WORDS.iter().copied()) {
            return Some(format!("did you mean {known} instead of `{word}`?"));
        }
    }
    None
}
