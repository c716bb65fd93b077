//! Expressions: finds the queries and buffers inside brackets, and replaces variables in strings.

use sqlparser::tokenizer::Token;

use super::clause::{self, DEPTH_MAX, Scope};
use super::cursor::{closing, covered};
use super::lex::Lexeme;
use super::lift::Lift;
use super::over;
use super::reader::Reader;
use super::statement::{Diagnostic, Span};
use super::variables;

/// The same tokens with what stands in brackets rewritten.
pub(super) fn rewrite(
    reader: &Reader<'_>,
    lexemes: &[Lexeme],
    scope: Scope,
    lift: &mut Lift,
) -> Result<Vec<Lexeme>, Diagnostic> {
    if scope.depth > DEPTH_MAX {
        let what = format!("this is nested deeper than {DEPTH_MAX} levels");
        return Err(reader.source.diagnostic(covered(lexemes).unwrap_or(scope.end), what, "take it apart"));
    }
    let mut out = Vec::with_capacity(lexemes.len());
    let mut at = 0;
    while let Some(lexeme) = lexemes.get(at) {
        at += 1;
        match &lexeme.token {
            Token::LParen => {
                let Some(close) = closing(lexemes, at - 1) else {
                    return Err(reader.source.diagnostic(lexeme.span, "`(` is not closed", "close it with `)`"));
                };
                out.push(lexeme.clone());
                out.extend(group(reader, &lexemes[at..close], scope.inner(lexemes[close].span), lift)?);
                out.push(lexemes[close].clone());
                at = close + 1;
            }
            Token::SingleQuotedString(text) => {
                let text = resolved(reader, text, lexeme.span)?;
                out.push(lexeme.becomes(Token::SingleQuotedString(text)));
            }
            // `_key LIKE "CUST-%"`: no column is called like a pattern.
            Token::Word(word)
                if word.quote_style == Some('"')
                    && out.last().is_some_and(|before: &Lexeme| before.is_one_of(&["LIKE", "ILIKE"])) =>
            {
                out.push(lexeme.becomes(Token::SingleQuotedString(word.value.clone())));
            }
            _ => out.push(lexeme.clone()),
        }
    }
    Ok(out)
}

/// What stands between two brackets.
pub(super) fn group(
    reader: &Reader<'_>,
    inner: &[Lexeme],
    scope: Scope,
    lift: &mut Lift,
) -> Result<Vec<Lexeme>, Diagnostic> {
    if clause::is_query(inner) {
        clause::query(reader, inner, scope, lift)
    } else if over::begins(inner) {
        let plain = over::read(reader, inner, scope.end)?;
        rewrite(reader, &plain, scope, lift)
    } else {
        rewrite(reader, inner, scope, lift)
    }
}

/// A string with its variables replaced; one that nobody set stays as it is written, for it may be a pattern of a sink.
pub(super) fn resolved(reader: &Reader<'_>, text: &str, span: Span) -> Result<String, Diagnostic> {
    let Some(lookup) = reader.lookup.filter(|_| text.contains("${")) else { return Ok(text.to_owned()) };
    let expanded = variables::expand(reader.source, text, span, lookup)?;
    reader.unset.borrow_mut().extend(expanded.unset.into_iter().map(|name| (name, span)));
    Ok(expanded.text)
}
