//! Windows in every spelling, read to [`WindowSpec`]: clauses, ksqlDB's `SIZE …`, functions of a GROUP BY and table functions.

use std::time::Duration;

use sqlparser::ast as sql;
use sqlparser::tokenizer::Token;

use super::cursor::{Cursor, by_commas, covered};
use super::duration::duration;
use super::lex::Lexeme;
use super::reader::Reader;
use super::statement::{Diagnostic, Span, WindowKind, WindowSpec};
use crate::core::words::nearest;

/// Every word that names a window.
pub(super) const WORDS: &[&str] =
    &["TUMBLING", "TUMBLE", "SLIDING", "HOPPING", "HOP", "SESSION", "CUMULATING", "CUMULATE"];

/// How a window was written.
#[derive(Clone, Copy)]
enum Shape {
    Tumbling,
    /// `(size, advance)`.
    Hopping,
    /// `(slide, size)`, as Flink, Calcite and Arroyo have it.
    Hop,
    Session,
    /// `(step, size)`.
    Cumulating,
}

/// What stood between the brackets.
#[derive(Default)]
struct Arguments {
    time: Option<sql::Expr>,
    lengths: Vec<(Duration, Span)>,
    size: Option<Duration>,
    advance: Option<Duration>,
    offset: Option<Duration>,
    grace: Option<Duration>,
    partition_by: Vec<sql::Expr>,
}

/// Whether a run begins with a window word and a bracket.
pub(super) fn begins(lexemes: &[Lexeme]) -> bool {
    matches!(lexemes, [word, open, ..] if word.is_one_of(WORDS) && open.token == Token::LParen)
}

/// A window whose brackets hold its time, if any, and its lengths: the whole run.
pub(super) fn read(reader: &Reader<'_>, lexemes: &[Lexeme], end: Span) -> Result<WindowSpec, Diagnostic> {
    let mut cursor = Cursor::new(reader.source, lexemes, end);
    let (shape, word) = kind(&mut cursor)?;
    let Some(group) = cursor.group() else {
        let next = format!("write {word}({})", example(shape));
        return Err(cursor.missing("`(`", &next));
    };
    cursor.done("a window ends with its `)`")?;
    let span = covered(lexemes).unwrap_or(end);
    let parts = by_commas(group);
    build(reader, shape, &word, &parts, span)
}

/// `TUMBLE([TABLE] t, [DESCRIPTOR(]ts[)], lengths…)`: the tokens of the relation and the window over it.
pub(super) fn table<'a>(
    reader: &Reader<'_>,
    lexemes: &'a [Lexeme],
    end: Span,
) -> Result<(&'a [Lexeme], WindowSpec), Diagnostic> {
    let mut cursor = Cursor::new(reader.source, lexemes, end);
    let (shape, word) = kind(&mut cursor)?;
    let span = covered(lexemes).unwrap_or(end);
    let group = lexemes.get(cursor.at + 1..lexemes.len().saturating_sub(1)).unwrap_or_default();
    let mut parts = by_commas(group);
    let next = format!("write {word}(table, time, {})", example(shape));
    if parts.is_empty() || parts[0].is_empty() {
        return Err(reader.source.diagnostic(span, format!("{word} in FROM needs a table"), next));
    }
    let mut relation = parts.remove(0);
    if let [label, arrow, rest @ ..] = relation
        && label.is("DATA")
        && arrow.token == Token::RArrow
    {
        relation = rest;
    }
    if let [table, rest @ ..] = relation
        && table.is("TABLE")
        && !rest.is_empty()
    {
        relation = rest;
    }
    let partition = relation.windows(2).position(|pair| pair[0].is("PARTITION") && pair[1].is("BY"));
    let keys = partition.map(|at| relation[at + 2..].to_vec()).unwrap_or_default();
    relation = &relation[..partition.unwrap_or(relation.len())];
    let mut spec = build(reader, shape, &word, &parts, span)?;
    // `PARTITION BY a, b` was cut at its comma: what is neither a time nor a length went on from there.
    for key in by_commas(&keys) {
        spec.partition_by.push(reader.expression(key, span)?);
    }
    Ok((relation, spec))
}

fn kind(cursor: &mut Cursor<'_>) -> Result<(Shape, String), Diagnostic> {
    let Some(word) = cursor.peek().and_then(Lexeme::bare).map(str::to_uppercase) else {
        return Err(cursor.expected_one_of(&["TUMBLING", "SLIDING", "HOPPING", "SESSION", "CUMULATING"]));
    };
    let shape = match word.as_str() {
        "TUMBLING" | "TUMBLE" => Shape::Tumbling,
        "SLIDING" | "HOPPING" => Shape::Hopping,
        "HOP" => Shape::Hop,
        "SESSION" => Shape::Session,
        "CUMULATING" | "CUMULATE" => Shape::Cumulating,
        _ => {
            let next = nearest(&word, WORDS.iter().copied()).map(|word| format!("did you mean {word}?"));
            let next =
                next.unwrap_or_else(|| "windows are TUMBLING, SLIDING, HOPPING, SESSION and CUMULATING".to_owned());
            return Err(cursor.source.diagnostic(cursor.span(), format!("`{word}` is not a window"), next));
        }
    };
    cursor.next();
    Ok((shape, word))
}

fn example(shape: Shape) -> &'static str {
    match shape {
        Shape::Tumbling => "1m",
        Shape::Hopping => "10m, 1m",
        Shape::Hop => "1m, 10m",
        Shape::Session => "30s",
        Shape::Cumulating => "1h, 1d",
    }
}

fn build(
    reader: &Reader<'_>,
    shape: Shape,
    word: &str,
    parts: &[&[Lexeme]],
    span: Span,
) -> Result<WindowSpec, Diagnostic> {
    let mut arguments = Arguments::default();
    for part in parts {
        argument(reader, part, span, &mut arguments)?;
    }
    let fail = |what: String, next: String| reader.source.diagnostic(span, what, next);
    let like = format!("write {word}({})", example(shape));
    let mut lengths = arguments.lengths.iter().map(|(length, _)| *length);
    let kind = match shape {
        Shape::Tumbling => {
            let size = arguments.size.or_else(|| lengths.next());
            let offset = arguments.offset.or_else(|| lengths.next()).unwrap_or_default();
            size.map(|size| WindowKind::Tumbling { size, offset })
        }
        Shape::Hopping => {
            let size = arguments.size.or_else(|| lengths.next());
            let advance = arguments.advance.or_else(|| lengths.next());
            size.zip(advance).map(|(size, advance)| WindowKind::Hopping { size, advance })
        }
        Shape::Hop => {
            let advance = arguments.advance.or_else(|| lengths.next());
            let size = arguments.size.or_else(|| lengths.next());
            size.zip(advance).map(|(size, advance)| WindowKind::Hopping { size, advance })
        }
        Shape::Session => arguments.size.or_else(|| lengths.next()).map(|gap| WindowKind::Session { gap }),
        Shape::Cumulating => {
            let step = arguments.advance.or_else(|| lengths.next());
            let size = arguments.size.or_else(|| lengths.next());
            size.zip(step).map(|(size, step)| WindowKind::Cumulating { size, step })
        }
    };
    let extra = lengths.next().is_some();
    if !matches!(shape, Shape::Session) && !arguments.partition_by.is_empty() {
        return Err(fail(format!("{word} has one time and lengths, nothing else"), like));
    }
    let Some(kind) = kind else { return Err(fail(format!("{word} lacks a length of time"), like)) };
    if extra {
        return Err(fail(format!("{word} has a length of time too many"), like));
    }
    match kind {
        WindowKind::Tumbling { size, offset } if size.is_zero() || size <= offset => {
            return Err(fail(format!("{word} needs a length above zero, and an offset below it"), like));
        }
        WindowKind::Session { gap } if gap.is_zero() => {
            return Err(fail("the gap of a session must be above zero".to_owned(), like));
        }
        WindowKind::Hopping { size, advance } if size.is_zero() || advance.is_zero() || size < advance => {
            let what = "the advance of a hopping window is above zero and at most its length".to_owned();
            return Err(fail(what, order(shape, &like)));
        }
        WindowKind::Cumulating { size, step } if size < step => {
            let what = "the step of a cumulating window stands first, and is longer here than its length".to_owned();
            return Err(fail(what, order(shape, &like)));
        }
        WindowKind::Cumulating { size, step }
            if size.is_zero() || step.is_zero() || !size.as_millis().is_multiple_of(step.as_millis()) =>
        {
            let what = "the length of a cumulating window is a multiple of its step".to_owned();
            return Err(fail(what, order(shape, &like)));
        }
        _ => {}
    }
    Ok(WindowSpec { kind, time: arguments.time, grace: arguments.grace, partition_by: arguments.partition_by, span })
}

fn order(shape: Shape, like: &str) -> String {
    match shape {
        Shape::Hop => format!("{like}: first the slide, then the length"),
        Shape::Cumulating => format!("{like}: first the step, then the length"),
        _ => format!("{like}: first the length, then the advance"),
    }
}

/// One of the parts between commas.
fn argument(reader: &Reader<'_>, part: &[Lexeme], span: Span, arguments: &mut Arguments) -> Result<(), Diagnostic> {
    let Some(first) = part.first() else {
        return Err(reader.source.diagnostic(span, "the window has an empty argument", ""));
    };
    let mut cursor = Cursor::new(reader.source, part, Span { start: span.end, end: span.end });
    if let [label, arrow, rest @ ..] = part
        && arrow.token == Token::RArrow
    {
        if label.is("TIMECOL") {
            arguments.time = Some(time(reader, rest, span)?);
            return Ok(());
        }
        if !label.is_one_of(&["SIZE", "SLIDE", "STEP", "GAP", "OFFSET"]) {
            let known = ["DATA", "TIMECOL", "SIZE", "SLIDE", "STEP", "GAP", "OFFSET"];
            return Err(cursor.expected_one_of(&known));
        }
        cursor.at = 2;
        let length = length(&mut cursor)?;
        match label.bare().map(str::to_uppercase).as_deref() {
            Some("SIZE" | "GAP") => arguments.size = Some(length),
            Some("OFFSET") => arguments.offset = Some(length),
            _ => arguments.advance = Some(length),
        }
        return cursor.done("");
    }
    if cursor.take(&["SIZE"]) {
        arguments.size = Some(length(&mut cursor)?);
    } else if cursor.take(&["ADVANCE", "BY"]) {
        arguments.advance = Some(length(&mut cursor)?);
    } else if cursor.take(&["GRACE", "PERIOD"]) {
        arguments.grace = Some(length(&mut cursor)?);
    } else if cursor.take(&["RETENTION"]) {
        length(&mut cursor)?;
        let next = "a window is kept until the watermark passes its end and GRACE PERIOD";
        reader.warn(first.span, "RETENTION has no effect", next);
    } else if let Some(length) = duration(&mut cursor)? {
        arguments.lengths.push((length, first.span));
    } else {
        let expression = time(reader, part, span)?;
        let named = first.is("DESCRIPTOR");
        if named {
            // `SESSION(TABLE t PARTITION BY a, b, DESCRIPTOR(ts), …)`: the comma between the keys cut them.
            arguments.partition_by.extend(arguments.time.replace(expression));
        } else if arguments.time.is_some() || !arguments.lengths.is_empty() {
            arguments.partition_by.push(expression);
        } else {
            arguments.time = Some(expression);
        }
        return Ok(());
    }
    cursor.done("arguments are parted by commas")
}

fn length(cursor: &mut Cursor<'_>) -> Result<Duration, Diagnostic> {
    match duration(cursor)? {
        Some(length) => Ok(length),
        None => Err(cursor.missing("a length of time", "write 5m, 5 MINUTES or INTERVAL '5' MINUTE")),
    }
}

/// `ts` or `DESCRIPTOR(ts)`.
fn time(reader: &Reader<'_>, part: &[Lexeme], span: Span) -> Result<sql::Expr, Diagnostic> {
    match part {
        [word, open, inner @ .., close]
            if word.is("DESCRIPTOR") && open.token == Token::LParen && close.token == Token::RParen =>
        {
            reader.expression(inner, span)
        }
        _ => reader.expression(part, span),
    }
}
