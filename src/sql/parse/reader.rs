//! What every part of the parser needs: the text, the variables, and sqlparser for what is plain SQL.

use std::cell::RefCell;
use std::ops::ControlFlow;

use sqlparser::ast as sql;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span as Range, Token, TokenWithSpan};

use super::bounds;
use super::dialect::StreamDialect;
use super::lex::Lexeme;
use super::lift::Lift;
use super::source::Source;
use super::statement::{Diagnostic, Span};
use super::tree;
use super::variables::Lookup;
use crate::core::words::nearest;

/// How deep expressions and queries may be nested: far more than a person reads.
const NESTING_MAX: usize = 50;
/// What may be parsed on the stack of the caller: five levels take 0.75 MiB in a debug build, a thread has 2 MiB.
const NESTING_INLINE: usize = 4;
/// Tokens of what may be parsed there: a row of so many terms is ten levels deep.
const TOKENS_INLINE: usize = 40;
/// Stack for everything deeper: 50 levels of 160 KiB, as a debug build takes for `NOT NOT NOT`, or 150 steps of 65 KiB of
/// a walk over the tree, and as much again. Only what is touched is taken.
const STACK_BYTES: usize = 32 * 1024 * 1024;

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

/// Why a run of tokens is nothing whole.
enum Refusal {
    Parser(ParserError),
    Ours(Diagnostic),
    /// Something stands behind it.
    Rest(Range),
}

impl Reader<'_> {
    pub fn warn(&self, span: Span, what: impl Into<String>, next: impl Into<String>) {
        self.warnings.borrow_mut().push(self.source.diagnostic(span, what, next));
    }

    /// A plain query, whole, with what was lifted off it put where it belongs.
    pub fn query(&self, lexemes: &[Lexeme], end: Span, lift: &Lift) -> Result<Box<sql::Query>, Diagnostic> {
        let source = self.source;
        self.whole(lexemes, end, Parser::parse_query, |query| {
            place_quoted(query, lexemes);
            tree::finish(source, query, lift)
        })
    }

    /// A plain expression, whole.
    pub fn expression(&self, lexemes: &[Lexeme], end: Span) -> Result<sql::Expr, Diagnostic> {
        self.whole(lexemes, end, Parser::parse_expr, |expression| {
            bounds::finish_expression(expression);
            Ok(())
        })
    }

    /// A type, whole.
    pub fn data_type(&self, lexemes: &[Lexeme], end: Span) -> Result<sql::DataType, Diagnostic> {
        self.whole(lexemes, end, Parser::parse_data_type, |_| Ok(()))
    }

    fn whole<T: Send>(
        &self,
        lexemes: &[Lexeme],
        end: Span,
        parse: fn(&mut Parser<'static>) -> Result<T, ParserError>,
        finish: impl FnOnce(&mut T) -> Result<(), Diagnostic> + Send,
    ) -> Result<T, Diagnostic> {
        let token = |lexeme: &Lexeme| TokenWithSpan { token: lexeme.token.clone(), span: lexeme.range };
        let tokens: Vec<TokenWithSpan> = lexemes.iter().map(token).collect();
        let run = move || {
            let mut parser =
                Parser::new(&StreamDialect).with_recursion_limit(NESTING_MAX).with_tokens_with_locations(tokens);
            let mut value = parse(&mut parser).map_err(Refusal::Parser)?;
            match parser.peek_token() {
                TokenWithSpan { token: Token::EOF, .. } => {
                    finish(&mut value).map_err(Refusal::Ours)?;
                    Ok(value)
                }
                next => Err(Refusal::Rest(next.span)),
            }
        };
        let outcome = if lexemes.len() <= TOKENS_INLINE && nesting(lexemes) <= NESTING_INLINE {
            run()
        } else {
            std::thread::scope(|scope| {
                let thread = std::thread::Builder::new().name("sql-parse".to_owned()).stack_size(STACK_BYTES);
                let parsed = thread.spawn_scoped(scope, run).map(|thread| thread.join());
                let lost = |what: &str| Err(Refusal::Parser(ParserError::ParserError(what.to_owned())));
                match parsed {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(_)) => lost("the parser failed on this statement: a defect of this program"),
                    Err(_) => lost("no thread could be begun to parse this statement"),
                }
            })
        };
        outcome.map_err(|refusal| match refusal {
            Refusal::Parser(fault) => self.fault(&fault, lexemes, end),
            Refusal::Ours(fault) => fault,
            Refusal::Rest(range) => {
                let at = lexemes.iter().position(|lexeme| lexeme.range == range);
                self.unexpected("the end of the statement", at, lexemes, end)
            }
        })
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
        let expected = said.strip_prefix("Expected: ").or_else(|| said.strip_prefix("Expected "));
        match expected.and_then(|said| said.rsplit_once(", found: ")) {
            Some((expected, found)) => {
                // sqlparser sometimes names a token and gives the place of the next.
                let at = at.map(|at| {
                    let named = |index: &usize| lexemes[*index].token.to_string() == found;
                    (at.saturating_sub(2)..=at).rev().find(named).unwrap_or(at)
                });
                self.unexpected(expected, at, lexemes, end)
            }
            None => {
                let (said, next) = match said.strip_prefix("No infix parser for token ") {
                    Some("Sharp") => ("there is no operator `#`", "the bits in which a and b differ are a ^ b"),
                    Some(_) => ("this stands where an operator or the end of an expression is expected", ""),
                    None => (said, ""),
                };
                let span = at.map_or_else(|| super::cursor::covered(lexemes).unwrap_or(end), |at| lexemes[at].span);
                self.source.diagnostic(span, said, next)
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
        let sign = !expected.contains(char::is_alphabetic);
        let expected = if sign { format!("`{expected}`") } else { expected.to_owned() };
        let (span, found) = match at {
            Some(at) => (lexemes[at].span, super::cursor::shown(self.source, &lexemes[at])),
            None => (end, "the end of the statement".to_owned()),
        };
        let comma = || {
            at.filter(|_| ["the end of the statement", "`)`"].contains(&expected.as_str()))
                .and_then(|at| unparted(lexemes, at))
        };
        if at.is_some_and(|at| lexemes[at].is("MATCH_RECOGNIZE")) {
            let next = "compare a row with those before it: LAG(amount) OVER (PARTITION BY customer_id ORDER BY ts)";
            return self.source.diagnostic(span, "MATCH_RECOGNIZE is not available in this build", next);
        }
        let next = misspelt(lexemes, at.unwrap_or(lexemes.len())).or_else(comma).or_else(|| {
            // sqlparser tries another way where one is too deep, and then complains of that.
            (nesting(lexemes) > NESTING_MAX / 2).then(|| format!("or it is nested deeper than {NESTING_MAX} levels"))
        });
        self.source.diagnostic(span, format!("expected {expected}, found {found}"), next.unwrap_or_default())
    }
}

/// Gives relations in single quotes their places, which sqlparser forgets.
fn place_quoted(query: &mut sql::Query, lexemes: &[Lexeme]) {
    let _ = sql::visit_relations_mut(query, |name| {
        for part in &mut name.0 {
            if let sql::ObjectNamePart::Identifier(ident) = part
                && ident.quote_style == Some('\'')
                && let Some(lexeme) = lexemes.iter().find(|lexeme| lexeme.string() == Some(&ident.value))
            {
                ident.span = lexeme.range;
            }
        }
        ControlFlow::<()>::Continue(())
    });
}

/// The most levels that a run can have: brackets, and words and signs that an expression follows.
fn nesting(lexemes: &[Lexeme]) -> usize {
    let (mut depth, mut deepest, mut prefixes) = (0_i32, 0_i32, 0_usize);
    for lexeme in lexemes {
        depth += lexeme.depth();
        deepest = deepest.max(depth);
        let sign = !matches!(
            lexeme.token,
            Token::Word(_)
                | Token::Number(..)
                | Token::SingleQuotedString(_)
                | Token::Comma
                | Token::Period
                | Token::Eq
                | Token::Mul
        );
        let word = lexeme.is_one_of(&["CASE", "NOT", "INTERVAL", "EXISTS", "ARRAY", "PRIOR"]);
        prefixes += usize::from(word || (sign && lexeme.depth() == 0));
    }
    usize::try_from(deepest).unwrap_or_default() + prefixes
}

/// Words behind which a list stands whose items commas part.
const LISTS: &[&str] = &["SELECT", "DISTINCT", "BY"];

/// Where something stands in a list behind a whole item, a comma is what is missing.
fn unparted(lexemes: &[Lexeme], at: usize) -> Option<String> {
    let is_item = |lexeme: &Lexeme| {
        let is_name = lexeme.word().is_some_and(|word| !super::is_reserved(word));
        is_name || matches!(lexeme.token, Token::Number(..) | Token::SingleQuotedString(_))
    };
    let before = lexemes.get(at.checked_sub(1)?)?;
    let ends_one = is_item(before) || matches!(before.token, Token::RParen | Token::RBracket);
    if !ends_one || !is_item(&lexemes[at]) {
        return None;
    }
    let mut depth = 0;
    let clause = lexemes[..at].iter().rev().find(|lexeme| {
        depth -= lexeme.depth();
        depth == 0 && (lexeme.is_one_of(CLAUSE_WORDS) || lexeme.is("BY"))
    });
    let shown = || lexemes[at].word().map_or_else(|| lexemes[at].token.to_string(), str::to_owned);
    clause.filter(|clause| clause.is_one_of(LISTS)).map(|_| format!("is a comma missing before `{}`?", shown()))
}

/// A word at or just before the place that is nearly a keyword.
fn misspelt(lexemes: &[Lexeme], at: usize) -> Option<String> {
    let first = at.saturating_sub(2);
    for place in (first..(at + 1).min(lexemes.len())).rev() {
        let Some(word) = lexemes[place].bare() else { continue };
        // What stands where a name stands is one, however it is called.
        let before = place.checked_sub(1).map(|before| &lexemes[before]);
        if before.is_some_and(|before| {
            before.token == Token::Period || before.is_one_of(&["FROM", "JOIN", "INTO", "TABLE", "AS", "DESCRIBE"])
        }) {
            continue;
        }
        if CLAUSE_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)) {
            continue;
        }
        if let Some(known) = nearest(word, CLAUSE_WORDS.iter().copied()) {
            return Some(format!("did you mean {known} instead of `{word}`?"));
        }
    }
    None
}
