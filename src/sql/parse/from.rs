//! The FROM clause: table functions that are windows, `WITHIN` of joins, names with hyphens.

use std::ops::Range;
use std::time::Duration;

use sqlparser::ast::Ident;
use sqlparser::tokenizer::{Token, Word};

use super::clause::{self, Scope};
use super::cursor::{self, Cursor, closing, covered};
use super::duration::duration;
use super::lex::Lexeme;
use super::lift::{Lift, Standing, Window};
use super::mark::{Mark, window_alias};
use super::nested;
use super::reader::Reader;
use super::statement::Diagnostic;
use super::window;

/// Words of a join's operator, up to its JOIN.
const JOIN_WORDS: &[&str] =
    &["NATURAL", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER", "SEMI", "ANTI", "ASOF", "GLOBAL", "JOIN"];

/// `FROM` and its relations.
pub(super) fn rewrite(
    reader: &Reader<'_>,
    part: &[Lexeme],
    scope: Scope,
    lift: &mut Lift,
) -> Result<Vec<Lexeme>, Diagnostic> {
    let mut out = vec![part[0].clone()];
    if part.len() == 1 {
        let next = "write FROM orders, or FROM 'kafka://host:9092/orders'";
        return Err(reader.source.diagnostic(part[0].span, "FROM names nothing", next));
    }
    out.extend(relations(reader, &part[1..], scope, lift)?);
    Ok(out)
}

/// Relations with their joins.
fn relations(
    reader: &Reader<'_>,
    lexemes: &[Lexeme],
    scope: Scope,
    lift: &mut Lift,
) -> Result<Vec<Lexeme>, Diagnostic> {
    let mut out = Vec::with_capacity(lexemes.len());
    for (operator, part) in joins(lexemes) {
        out.extend_from_slice(operator);
        out.extend(member(reader, operator, part, scope, lift)?);
    }
    Ok(out)
}

/// Cuts at commas and JOINs: the operator, then what it joins.
fn joins(lexemes: &[Lexeme]) -> Vec<(&[Lexeme], &[Lexeme])> {
    let mut cuts = vec![Range { start: 0, end: 0 }];
    let mut depth = 0;
    let mut at = 0;
    while at < lexemes.len() {
        let outside = depth == 0;
        depth += lexemes[at].depth();
        if outside && lexemes[at].token == Token::Comma {
            cuts.push(at..at + 1);
        } else if outside {
            let words = lexemes[at..].iter().take_while(|lexeme| lexeme.is_one_of(JOIN_WORDS)).count();
            let ends = lexemes[at..at + words].iter().position(|lexeme| lexeme.is("JOIN"));
            if let Some(ends) = ends {
                cuts.push(at..at + ends + 1);
                at += ends;
            }
        }
        at += 1;
    }
    let ends: Vec<usize> = cuts.iter().skip(1).map(|cut| cut.start).chain([lexemes.len()]).collect();
    cuts.iter().zip(ends).map(|(cut, end)| (&lexemes[cut.clone()], &lexemes[cut.end..end])).collect()
}

/// One relation with the condition of its join.
fn member(
    reader: &Reader<'_>,
    operator: &[Lexeme],
    part: &[Lexeme],
    scope: Scope,
    lift: &mut Lift,
) -> Result<Vec<Lexeme>, Diagnostic> {
    let (part, within) = within(reader, part, scope)?;
    let condition = outside(&part, |lexeme| lexeme.is_one_of(&["ON", "USING"])).unwrap_or(part.len());
    let mut out = relation(reader, &part[..condition], scope, lift)?;
    let constraint = &part[condition..];
    let rewritten = nested::rewrite(reader, constraint, scope, lift)?;
    let Some((lexeme, before, after)) = within else {
        out.extend(rewritten);
        return Ok(out);
    };
    let next = "write JOIN b WITHIN 5m ON a.id = b.id";
    if operator.iter().all(|word| !word.is("JOIN")) {
        return Err(reader.source.diagnostic(lexeme.span, "WITHIN belongs to a JOIN", next));
    }
    let [on, condition @ ..] = rewritten.as_slice() else {
        return Err(reader.source.diagnostic(lexeme.span, "a join WITHIN a time needs ON and an equality", next));
    };
    if !on.is("ON") {
        return Err(reader.source.diagnostic(lexeme.span, "WITHIN needs ON, not USING", next));
    }
    let token = |token| lexeme.becomes(token);
    out.push(on.clone());
    out.push(token(Token::LParen));
    out.extend_from_slice(condition);
    out.extend(
        [Token::RParen, Token::make_keyword("AND"), Token::make_word(Mark::Within.name(), None), Token::LParen]
            .map(token),
    );
    let milliseconds = |length: Duration| Token::Number(length.as_millis().to_string(), false);
    out.extend([milliseconds(before), Token::Comma, milliseconds(after), Token::RParen].map(token));
    Ok(out)
}

/// Takes `WITHIN …` out, wherever it stands beside ON.
#[allow(clippy::type_complexity)]
fn within(
    reader: &Reader<'_>,
    part: &[Lexeme],
    scope: Scope,
) -> Result<(Vec<Lexeme>, Option<(Lexeme, Duration, Duration)>), Diagnostic> {
    let mut at = None;
    let mut depth = 0;
    for (index, lexeme) in part.iter().enumerate() {
        let group = part.get(index + 1).is_some_and(|next| next.is("GROUP"));
        if depth == 0 && index > 0 && lexeme.is("WITHIN") && !group {
            at = Some(index);
            break;
        }
        depth += lexeme.depth();
    }
    let Some(at) = at else { return Ok((part.to_vec(), None)) };
    let mut cursor = Cursor::new(reader.source, part, scope.end);
    cursor.at = at + 1;
    let next = "write WITHIN 5m, WITHIN INTERVAL '5' MINUTE or WITHIN (5 MINUTES, 1 MINUTE)";
    let (before, after) = if cursor.take_token(&Token::LParen) {
        let before = duration(&mut cursor)?.ok_or_else(|| cursor.missing("a length of time", next))?;
        let after = if cursor.take_token(&Token::Comma) {
            duration(&mut cursor)?.ok_or_else(|| cursor.missing("a length of time", next))?
        } else {
            before
        };
        cursor.expect(&Token::RParen, next)?;
        (before, after)
    } else {
        let length = duration(&mut cursor)?.ok_or_else(|| cursor.missing("a length of time", next))?;
        (length, length)
    };
    // ksqlDB's `GRACE PERIOD` of a join: ours is the lateness of the sources.
    let grace = cursor.span();
    if cursor.take(&["GRACE", "PERIOD"]) {
        duration(&mut cursor)?.ok_or_else(|| cursor.missing("a length of time", ""))?;
        let next = "say 'watermark.max_out_of_orderness' in WITH (…)";
        reader.warn(grace, "GRACE PERIOD of a join has no effect", next);
    }
    let mut rest = part[..at].to_vec();
    rest.extend_from_slice(&part[cursor.at..]);
    Ok((rest, Some((part[at].clone(), before, after))))
}

/// One relation: a name, a window over one, a subquery, a join in brackets, or a function.
fn relation(reader: &Reader<'_>, part: &[Lexeme], scope: Scope, lift: &mut Lift) -> Result<Vec<Lexeme>, Diagnostic> {
    if window::begins(part) {
        let close = closing(part, 1).unwrap_or(part.len() - 1);
        return windowed(reader, &part[..=close], &part[close + 1..], scope, lift);
    }
    // `TABLE(TUMBLE(…))`
    if let [table, open, rest @ ..] = part
        && table.is("TABLE")
        && open.token == Token::LParen
        && window::begins(rest)
    {
        let close = closing(part, 1).unwrap_or(part.len() - 1);
        return windowed(reader, &part[2..close], &part[close + 1..], scope, lift);
    }
    if let Some(part) = elements(part) {
        return nested::rewrite(reader, &part, scope, lift);
    }
    if let Some(close) = part.first().filter(|first| first.token == Token::LParen).and_then(|_| closing(part, 0)) {
        let inner = &part[1..close];
        let scope_inside = scope.inner(part[close].span);
        let inside = if clause::is_query(inner) {
            clause::query(reader, inner, scope_inside, lift)?
        } else if scope_inside.depth > clause::DEPTH_MAX {
            nested::rewrite(reader, inner, scope_inside, lift)?
        } else {
            relations(reader, inner, scope_inside, lift)?
        };
        let mut out = vec![part[0].clone()];
        out.extend(inside);
        out.push(part[close].clone());
        out.extend(versioned(&nested::rewrite(reader, &part[close + 1..], scope, lift)?));
        return Ok(out);
    }
    Ok(versioned(&hyphenated(&nested::rewrite(reader, part, scope, lift)?)))
}

/// `UNNEST(…)` as sqlparser wants it: what looks at the relation beside it need not say LATERAL, and ksqlDB and Spark say
/// EXPLODE.
fn elements(part: &[Lexeme]) -> Option<Vec<Lexeme>> {
    let part = match part {
        [lateral, rest @ ..] if lateral.is("LATERAL") => rest,
        part => part,
    };
    let [call, open, ..] = part else { return None };
    if !call.is_one_of(&["UNNEST", "EXPLODE"]) || open.token != Token::LParen {
        return None;
    }
    let mut part = part.to_vec();
    part[0] = call.becomes(Token::make_keyword("UNNEST"));
    Some(part)
}

/// A window over a relation: the relation, under an alias that marks it.
fn windowed(
    reader: &Reader<'_>,
    call: &[Lexeme],
    behind: &[Lexeme],
    scope: Scope,
    lift: &mut Lift,
) -> Result<Vec<Lexeme>, Diagnostic> {
    let (inner, spec) = window::table(reader, call, scope.end)?;
    let span = covered(inner).unwrap_or(spec.span);
    let mut out = relation(reader, inner, scope.inner(span), lift)?;
    let behind = match behind {
        [word, rest @ ..] if word.is("AS") => rest,
        rest => rest,
    };
    let (alias, behind) = match behind {
        [Lexeme { token: Token::Word(Word { value, quote_style, .. }), range, .. }, rest @ ..] => {
            (Some(Ident { value: value.clone(), quote_style: *quote_style, span: *range }), rest)
        }
        rest => (None, rest),
    };
    let marker = Token::make_word(&window_alias(lift.windows.len()), Some('"'));
    out.extend([Token::make_keyword("AS"), marker].map(|token| call[0].becomes(token)));
    out.extend_from_slice(behind);
    lift.windows.push(Window { spec, select: scope.select, place: Standing::Table { alias } });
    Ok(out)
}

/// `high-value-orders` as one name.
fn hyphenated(part: &[Lexeme]) -> Vec<Lexeme> {
    let taken = cursor::joined(part);
    let name = &part[..taken];
    let dots = name.iter().filter(|lexeme| lexeme.token == Token::Period).count();
    let plain = name.iter().all(|lexeme| matches!(lexeme.token, Token::Word(_) | Token::Period));
    // A catalog, a schema and a table are the most that a plain name has.
    if taken < 2 || (plain && dots < 3) {
        return part.to_vec();
    }
    let text: String =
        name.iter().map(|lexeme| lexeme.word().map_or_else(|| lexeme.token.to_string(), str::to_owned)).collect();
    let mut whole = name[0].becomes(Token::make_word(&text, Some('"')));
    whole.span.end = name[taken - 1].span.end;
    let mut out = vec![whole];
    out.extend_from_slice(&part[taken..]);
    out
}

/// `rates AS r FOR SYSTEM_TIME AS OF o.ts` with the alias behind, where sqlparser wants it.
fn versioned(part: &[Lexeme]) -> Vec<Lexeme> {
    let Some(at) = outside(part, |lexeme| lexeme.is("FOR")).filter(|at| *at >= 2) else { return part.to_vec() };
    let alias = match &part[..at] {
        [.., before, word] if word.word().is_some() && before.is("AS") => at - 2,
        [.., before, word] if word.word().is_some() && before.token != Token::Period => at - 1,
        _ => return part.to_vec(),
    };
    [&part[..alias], &part[at..], &part[alias..at]].concat()
}

/// The first token outside of all brackets that fits.
fn outside(part: &[Lexeme], fits: impl Fn(&Lexeme) -> bool) -> Option<usize> {
    let mut depth = 0;
    part.iter().position(|lexeme| {
        let here = depth == 0 && fits(lexeme);
        depth += lexeme.depth();
        here
    })
}
