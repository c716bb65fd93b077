//! The SELECT list: `PRIMARY KEY` behind an item, and windows among the items.

use sqlparser::tokenizer::Token;

use super::clause::Scope;
use super::cursor::{by_commas, closing, covered};
use super::lex::Lexeme;
use super::lift::{Lift, Standing, Window};
use super::mark::window_alias;
use super::nested;
use super::reader::Reader;
use super::statement::Diagnostic;
use super::window;

/// `SELECT` and its list; anything else passes through.
pub(super) fn rewrite(
    reader: &Reader<'_>,
    part: &[Lexeme],
    scope: Scope,
    lift: &mut Lift,
) -> Result<Vec<Lexeme>, Diagnostic> {
    if !part.first().is_some_and(|first| first.is("SELECT")) {
        return nested::rewrite(reader, part, scope, lift);
    }
    let head = 1 + part[1..].iter().take_while(|lexeme| lexeme.is_one_of(&["DISTINCT", "ALL"])).count();
    let mut out = part[..head].to_vec();
    let items = by_commas(&part[head..]);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(comma(item, part));
        }
        let item = keyed(reader, item, scope, lift)?;
        if window::begins(item) {
            out.extend(windowed(reader, item, index + 1, scope, lift)?);
        } else {
            out.extend(nested::rewrite(reader, item, scope, lift)?);
        }
    }
    Ok(out)
}

/// Takes `PRIMARY KEY` off an item or a grouping and notes its name.
pub(super) fn keyed<'a>(
    reader: &Reader<'_>,
    item: &'a [Lexeme],
    scope: Scope,
    lift: &mut Lift,
) -> Result<&'a [Lexeme], Diagnostic> {
    let [rest @ .., primary, key] = item else { return Ok(item) };
    if !primary.is("PRIMARY") || !key.is("KEY") {
        return Ok(item);
    }
    let span = covered(&item[rest.len()..]).unwrap_or(scope.end);
    if !scope.outermost {
        let what = "PRIMARY KEY belongs to the outermost SELECT: only its rows become messages";
        return Err(reader.source.diagnostic(span, what, "move it to the SELECT of the statement"));
    }
    let Some(name) = rest.last().and_then(Lexeme::word) else {
        return Err(reader.source.diagnostic(
            span,
            "PRIMARY KEY needs a name before it",
            "write expression AS name PRIMARY KEY",
        ));
    };
    if !lift.key.iter().any(|known| known == name) {
        lift.key.push(name.to_owned());
    }
    Ok(rest)
}

/// `tumble(interval '5 minutes') AS window`: the window applies to the FROM, the item becomes its bounds.
fn windowed(
    reader: &Reader<'_>,
    item: &[Lexeme],
    position: usize,
    scope: Scope,
    lift: &mut Lift,
) -> Result<Vec<Lexeme>, Diagnostic> {
    let close = closing(item, 1).unwrap_or(item.len() - 1);
    let spec = window::read(reader, &item[..=close], scope.end)?;
    let name = match &item[close + 1..] {
        [word, name] if word.is("AS") => name.word(),
        [name] => name.word(),
        [] => None,
        [odd, ..] => {
            let next = "write tumble(interval '5 minutes') AS window";
            return Err(reader.source.diagnostic(odd.span, "a window in the SELECT list stands alone", next));
        }
    };
    let name = name.unwrap_or("window").to_owned();
    let marker = Token::make_word(&window_alias(lift.windows.len()), Some('"'));
    let tokens = [marker, Token::make_keyword("AS"), Token::make_word(&name, Some('"'))];
    lift.windows.push(Window { spec, select: scope.select, place: Standing::Item { name, position } });
    Ok(tokens.into_iter().map(|token| item[0].becomes(token)).collect())
}

/// The comma before an item, with a place of its own.
fn comma(item: &[Lexeme], part: &[Lexeme]) -> Lexeme {
    let start = item.first().map_or(usize::MAX, |first| first.span.start);
    let found = part.iter().rev().find(|lexeme| lexeme.token == Token::Comma && lexeme.span.start < start);
    found.unwrap_or(&part[0]).becomes(Token::Comma)
}
