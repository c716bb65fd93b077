//! Cuts a query at its clauses, takes out what sqlparser does not know and puts the rest into the order it wants.

use std::ops::Range;

use sqlparser::tokenizer::{Token, Word};

use super::cursor::{Cursor, closing, covered};
use super::emit;
use super::from;
use super::grouping;
use super::lex::Lexeme;
use super::lift::{Lift, Standing, Window};
use super::mark::window_alias;
use super::nested;
use super::options;
use super::reader::Reader;
use super::select;
use super::statement::{Diagnostic, EndName, Span};
use super::window;

/// Brackets within brackets, before sqlparser counts for itself: each is a step of recursion here and there.
pub(super) const DEPTH_MAX: usize = 60;

/// The clauses of one SELECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clause {
    Select,
    From,
    Where,
    Group,
    Having,
    Window,
    Named,
    Qualify,
    Order,
    Limit,
    Emit,
    Into,
    With,
}

impl Clause {
    fn word(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::From => "FROM",
            Self::Where => "WHERE",
            Self::Group => "GROUP BY",
            Self::Having => "HAVING",
            Self::Window | Self::Named => "WINDOW",
            Self::Qualify => "QUALIFY",
            Self::Order => "ORDER BY",
            Self::Limit => "LIMIT",
            Self::Emit => "EMIT",
            Self::Into => "INTO",
            Self::With => "WITH (…)",
        }
    }
}

/// Where a query stands.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    /// The statement's own query: only it may have EMIT, INTO and WITH (…).
    pub outermost: bool,
    pub depth: usize,
    /// The number of the SELECT.
    pub select: usize,
    /// Just behind the query.
    pub end: Span,
}

impl Scope {
    /// A query inside of this one.
    pub fn inner(self, end: Span) -> Self {
        Self { outermost: false, depth: self.depth + 1, end, ..self }
    }
}

/// Whether a run can only be a query.
pub(super) fn is_query(lexemes: &[Lexeme]) -> bool {
    let first = lexemes.iter().find(|lexeme| lexeme.token != Token::LParen);
    let plain = lexemes.first().is_some_and(|lexeme| lexeme.token != Token::LParen);
    match first {
        Some(first) if plain => first.is_one_of(&["SELECT", "WITH", "VALUES"]),
        Some(first) => first.is_one_of(&["SELECT", "VALUES"]),
        None => false,
    }
}

/// The tokens of a query as sqlparser wants them.
pub(super) fn query(
    reader: &Reader<'_>,
    lexemes: &[Lexeme],
    scope: Scope,
    lift: &mut Lift,
) -> Result<Vec<Lexeme>, Diagnostic> {
    if scope.depth > DEPTH_MAX {
        let span = covered(lexemes).unwrap_or(scope.end);
        let what = format!("this is nested deeper than {DEPTH_MAX} levels");
        return Err(reader.source.diagnostic(span, what, "give the inner parts names with WITH name AS (…)"));
    }
    let mut out = Vec::with_capacity(lexemes.len());
    let body = body(lexemes);
    if body > 0 {
        out.extend(nested::rewrite(reader, &lexemes[..body], scope, lift)?);
    }
    let rest = &lexemes[body..];
    let mut start = 0;
    for cut in set_operators(rest) {
        out.extend(segment(reader, &rest[start..cut.start], scope, lift)?);
        out.extend_from_slice(&rest[cut.clone()]);
        start = cut.end;
    }
    out.extend(segment(reader, &rest[start..], scope, lift)?);
    Ok(out)
}

/// Where the SELECT begins behind `WITH name AS (…), …`.
fn body(lexemes: &[Lexeme]) -> usize {
    if !lexemes.first().is_some_and(|first| first.is("WITH")) {
        return 0;
    }
    let mut at = 1;
    while let Some(lexeme) = lexemes.get(at) {
        if lexeme.is_one_of(&["SELECT", "VALUES"])
            || (lexeme.token == Token::LParen && lexemes[at - 1].token == Token::RParen)
        {
            return at;
        }
        at = closing(lexemes, at).map_or(lexemes.len(), |close| close + 1);
    }
    lexemes.len()
}

/// UNION, INTERSECT, EXCEPT and MINUS with their ALL or DISTINCT.
fn set_operators(lexemes: &[Lexeme]) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < lexemes.len() {
        depth += lexemes[at].depth();
        let word = depth == 0 && at > 0 && lexemes[at].is_one_of(&["UNION", "INTERSECT", "EXCEPT", "MINUS"]);
        let behind = &lexemes[at + 1..];
        let select = behind
            .iter()
            .find(|lexeme| !lexeme.is_one_of(&["ALL", "DISTINCT", "BY", "NAME"]) && lexeme.token != Token::LParen);
        // `* EXCEPT (column)` is no set operation.
        if word
            && lexemes[at - 1].ends_operand()
            && select.is_some_and(|select| select.is_one_of(&["SELECT", "VALUES", "TABLE"]))
        {
            let extra = behind.iter().take_while(|lexeme| lexeme.is_one_of(&["ALL", "DISTINCT", "BY", "NAME"])).count();
            cuts.push(at..at + 1 + extra);
            at += extra;
        }
        at += 1;
    }
    cuts
}

/// One SELECT, or a query in brackets, with what follows it.
fn segment(reader: &Reader<'_>, lexemes: &[Lexeme], scope: Scope, lift: &mut Lift) -> Result<Vec<Lexeme>, Diagnostic> {
    lift.selects += 1;
    let scope = Scope { select: lift.selects, ..scope };
    let mut parts: Vec<(Clause, &[Lexeme])> = Vec::new();
    for (clause, range) in clauses(lexemes) {
        let part = &lexemes[range];
        if parts.iter().any(|(before, _)| *before == clause) && clause != Clause::Limit {
            let span = part.first().map_or(scope.end, |first| first.span);
            let what = format!("{} is there twice", clause.word());
            return Err(reader.source.diagnostic(span, what, "a query has each clause once"));
        }
        parts.push((clause, part));
    }
    for (clause, part) in &parts {
        trailing(reader, *clause, part, scope, lift)?;
    }
    let mut kept: [Vec<Lexeme>; 10] = Default::default();
    // FROM first: windows count from left to right of the plan, not of the text.
    for wanted in [Clause::From, Clause::Select] {
        for (clause, part) in parts.iter().filter(|(clause, _)| *clause == wanted) {
            kept[*clause as usize] = match clause {
                Clause::From => from::rewrite(reader, part, scope, lift)?,
                _ => select::rewrite(reader, part, scope, lift)?,
            };
        }
    }
    for (clause, part) in &parts {
        let slot = *clause as usize;
        match clause {
            Clause::Group => kept[slot] = grouping::rewrite(reader, part, scope, lift)?,
            Clause::Window => {
                let spec = window::read(reader, &part[1..], scope.end)?;
                lift.windows.push(Window { spec, select: scope.select, place: Standing::Clause });
            }
            Clause::Where | Clause::Having | Clause::Named | Clause::Qualify | Clause::Order | Clause::Limit => {
                kept[slot].extend(nested::rewrite(reader, part, scope, lift)?);
            }
            Clause::Select | Clause::From | Clause::Emit | Clause::Into | Clause::With => {}
        }
    }
    mark(reader, scope, lift, &mut kept)?;
    Ok(kept.into_iter().flatten().collect())
}

/// Leaves `WINDOW __window_0 AS ()` where a window applies to the whole FROM.
fn mark(reader: &Reader<'_>, scope: Scope, lift: &Lift, kept: &mut [Vec<Lexeme>; 10]) -> Result<(), Diagnostic> {
    let own: Vec<usize> = lift.own(scope.select).map(|(index, _)| index).collect();
    let Some((index, more)) = own.split_first() else { return Ok(()) };
    let span = lift.windows[*index].spec.span;
    if let Some(second) = more.first() {
        let next = "put one of them into a subquery: SELECT … FROM (SELECT … WINDOW …) WINDOW …";
        return Err(reader.source.diagnostic(lift.windows[*second].spec.span, "a query has one window", next));
    }
    if kept[Clause::From as usize].is_empty() {
        return Err(reader.source.diagnostic(
            span,
            "a window needs a FROM to apply to",
            "write SELECT … FROM orders WINDOW …",
        ));
    }
    let Some(anchor) = kept[Clause::From as usize].first().cloned() else { return Ok(()) };
    let named = &mut kept[Clause::Named as usize];
    let glue = if named.is_empty() { Token::make_keyword("WINDOW") } else { Token::Comma };
    let name = Token::make_word(&window_alias(*index), Some('"'));
    let tokens = [glue, name, Token::make_keyword("AS"), Token::LParen, Token::RParen];
    named.extend(tokens.into_iter().map(|token| anchor.becomes(token)));
    Ok(())
}

/// EMIT, INTO and WITH (…), of the statement only.
fn trailing(
    reader: &Reader<'_>,
    clause: Clause,
    part: &[Lexeme],
    scope: Scope,
    lift: &mut Lift,
) -> Result<(), Diagnostic> {
    if !matches!(clause, Clause::Emit | Clause::Into | Clause::With) {
        return Ok(());
    }
    let span = covered(part).unwrap_or(scope.end);
    if !scope.outermost {
        let what = format!("{} belongs to the statement, not to a query inside it", clause.word());
        return Err(reader.source.diagnostic(span, what, "move it behind the last bracket"));
    }
    let twice = |there: bool| {
        let what = format!("{} is there twice", clause.word());
        if there { Err(reader.source.diagnostic(span, what, "keep one of them")) } else { Ok(()) }
    };
    let mut cursor = Cursor::new(reader.source, part, scope.end);
    cursor.next();
    match clause {
        Clause::Emit => {
            twice(lift.emit.is_some())?;
            lift.emit = Some((emit::read(&mut cursor)?, span));
        }
        Clause::Into => {
            twice(lift.into.is_some())?;
            let named = cursor.span();
            lift.into = Some((end_name(reader, &mut cursor, "a sink")?, named));
        }
        _ => {
            twice(lift.optioned)?;
            lift.optioned = true;
            let close = part.last().map_or(scope.end, |last| last.span);
            if let Some(group) = cursor.group() {
                options::read(reader, group, close, &mut lift.options)?;
            }
        }
    }
    cursor.done(&format!("{} ends here", clause.word()))
}

/// A name or a URI in quotes.
pub(super) fn end_name(reader: &Reader<'_>, cursor: &mut Cursor<'_>, what: &str) -> Result<EndName, Diagnostic> {
    match cursor.peek() {
        Some(lexeme) if lexeme.string().is_some() => {
            cursor.next();
            let text = lexeme.string().unwrap_or_default();
            Ok(EndName::Uri(nested::resolved(reader, text, lexeme.span)?))
        }
        _ => {
            let next = format!("write a name, or a URI in quotes: 'kafka://host:9092/topic' for {what}");
            cursor.name(what).map(|(name, _)| EndName::Name(name)).map_err(|mut fault| {
                fault.fault.next = next;
                fault
            })
        }
    }
}

/// Where the clauses of one SELECT begin and end, in the order of the text.
fn clauses(lexemes: &[Lexeme]) -> Vec<(Clause, Range<usize>)> {
    let mut starts = vec![(Clause::Select, 0)];
    let mut depth = 0;
    let mut from = !lexemes.first().is_some_and(|first| first.is("SELECT"));
    for (at, lexeme) in lexemes.iter().enumerate() {
        let outside = depth == 0;
        depth += lexeme.depth();
        if !outside || at == 0 || !matches!(&lexeme.token, Token::Word(Word { quote_style: None, .. })) {
            continue;
        }
        // `SELECT a, FROM t`: FROM is a keyword wherever it stands, so that what is said about the comma is right.
        if !lexemes[at - 1].ends_operand() && !follows_clause(&lexemes[at - 1]) && !lexeme.is("FROM") {
            continue;
        }
        if let Some(clause) = clause(lexemes, at, from) {
            from |= clause == Clause::From;
            starts.push((clause, at));
        }
    }
    let ends = starts.iter().skip(1).map(|(_, at)| *at).chain([lexemes.len()]);
    let ranges: Vec<_> = starts.iter().zip(ends).map(|((clause, start), end)| (*clause, *start..end)).collect();
    ranges.into_iter().filter(|(_, range)| !range.is_empty()).collect()
}

/// `SELECT FROM t` and `WHERE GROUP BY`: a clause without a content is still seen, and sqlparser says what is missing.
fn follows_clause(before: &Lexeme) -> bool {
    before.is_one_of(&["SELECT", "FROM", "WHERE", "HAVING"])
}

/// The clause that begins at a word, if one does. Before FROM most of these words are names of columns.
fn clause(lexemes: &[Lexeme], at: usize, from: bool) -> Option<Clause> {
    let next = lexemes.get(at + 1);
    let next_is = |words: &[&str]| next.is_some_and(|next| next.is_one_of(words));
    let word = lexemes[at].bare()?.to_ascii_uppercase();
    match word.as_str() {
        // `IS [NOT] DISTINCT FROM`
        "FROM" if !(at > 1 && lexemes[at - 1].is("DISTINCT") && lexemes[at - 2].is_one_of(&["IS", "NOT"])) => {
            Some(Clause::From)
        }
        "WHERE" => Some(Clause::Where),
        "GROUP" if next_is(&["BY"]) => Some(Clause::Group),
        "HAVING" => Some(Clause::Having),
        "ORDER" if next_is(&["BY"]) => Some(Clause::Order),
        "INTO" => Some(Clause::Into),
        "QUALIFY" if from => Some(Clause::Qualify),
        "WINDOW" if from => match (next, lexemes.get(at + 2)) {
            (Some(name), Some(after)) if name.word().is_some() && after.is("AS") => Some(Clause::Named),
            (Some(name), Some(after)) if name.bare().is_some() && after.token == Token::LParen => Some(Clause::Window),
            (Some(name), _) if name.is_one_of(window::WORDS) => Some(Clause::Window),
            _ => None,
        },
        "LIMIT" | "OFFSET"
            if next.is_some_and(|next| matches!(next.token, Token::Number(..)) || (from && next.ends_operand())) =>
        {
            Some(Clause::Limit)
        }
        "FETCH" if next_is(&["FIRST", "NEXT"]) => Some(Clause::Limit),
        "EMIT"
            if from
                && (next.is_none()
                    || next.is_some_and(|next| next.bare().is_some() && !next.is_one_of(&["AS", "ON"]))) =>
        {
            Some(Clause::Emit)
        }
        "EMIT" if next_is(&["ON"]) && lexemes.get(at + 2).is_some_and(|after| after.is("WINDOW")) => Some(Clause::Emit),
        "WITH" if from && next.is_some_and(|next| next.token == Token::LParen) => Some(Clause::With),
        _ => None,
    }
}
