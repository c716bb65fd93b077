//! `-- @key: value` above a statement or at the head of a file: found, checked and handed to whom they concern.

use super::lex::Comment;
use super::reader::Reader;
use super::statement::{Annotation, Diagnostic, Script, Span};
use crate::core::words::nearest;

/// Keys in full.
const KEYS: &[&str] = &[
    "app",
    "version",
    "description",
    "job_mode",
    "batch_size",
    "num_partitions",
    "partitioning_strategy",
    "metric",
    "metric_type",
    "metric_help",
    "metric_labels",
    "metric_field",
    "metric_buckets",
    "metric_condition",
    "depends_on",
];
/// Keys that say something to the program (`app`) or to people; the others are checked, and nothing reads them yet.
const READ: &[&str] = &["app", "version", "description"];
/// Beginnings of keys.
const PREFIXES: &[&str] = &["observability.", "sla."];
/// Keys that speak of the whole file.
const OF_FILE: &[&str] = &["app", "version"];

/// Gives each annotation to the statement it stands above, or to the file. `written` are the ranges of all statements,
/// also of those that do not parse: their annotations must not go to the next.
pub(super) fn attach(reader: &Reader<'_>, comments: &[Comment], written: &[Span], script: &mut Script) {
    let mut found: Vec<Annotation> = Vec::new();
    for comment in comments.iter().filter(|comment| comment.line) {
        match read(reader, comment.span) {
            Ok(Some(annotation)) => found.push(annotation),
            Ok(None) => {}
            Err(error) => script.errors.push(error),
        }
    }
    let mut metric = Metrics::default();
    for annotation in found {
        let index = written.partition_point(|span| span.start < annotation.span.start);
        let before = index.checked_sub(1).map(|index| written[index]);
        if let Some(inside) = before.filter(|span| annotation.span.start < span.end) {
            let what = format!("annotation `@{}` inside a statement has no effect", annotation.key);
            let (line, _) = reader.source.position(inside.start);
            reader.warn(annotation.span, what, format!("move it above line {line}"));
            continue;
        }
        let below = written.get(index).map(|span| span.start);
        let own = annotation.key.starts_with("metric") || adjoins(reader, &annotation, below);
        let of_file = index == 0 && (OF_FILE.contains(&annotation.key.as_str()) || !own);
        metric.see(reader, &annotation, index, &mut script.errors);
        if of_file || (below.is_none() && written.is_empty()) {
            script.annotations.push(annotation);
        } else if let Some(below) = below {
            let statement = script.statements.iter_mut().find(|statement| statement.span.start == below);
            if let Some(statement) = statement {
                statement.annotations.push(annotation);
            }
        } else {
            let what = format!("annotation `@{}` stands above no statement", annotation.key);
            reader.warn(annotation.span, what, "move it above the statement it concerns, or to the head of the file");
        }
    }
    metric.finish(reader, &mut script.errors);
}

/// Whether only comments stand between an annotation and the statement that begins at `start`: no blank line.
fn adjoins(reader: &Reader<'_>, annotation: &Annotation, start: Option<usize>) -> bool {
    let Some(between) = start.and_then(|start| reader.source.text.get(annotation.span.end..start)) else {
        return false;
    };
    let mut lines: Vec<&str> = between.split('\n').collect();
    // The line of the statement itself.
    lines.pop();
    lines.iter().skip(1).all(|line| !line.trim().is_empty())
}

/// The annotation in a comment, if it is one.
fn read(reader: &Reader<'_>, span: Span) -> Result<Option<Annotation>, Diagnostic> {
    let text = reader.source.slice(span);
    let Some(body) = text.strip_prefix("--").map(str::trim_start).and_then(|text| text.strip_prefix('@')) else {
        return Ok(None);
    };
    let at = span.start + (text.len() - body.len());
    let length = body.find(|character: char| !(character.is_alphanumeric() || "_.-".contains(character)));
    let (key, rest) = body.split_at(length.unwrap_or(body.len()));
    let place = Span { start: at - 1, end: at + key.len() };
    let rest = rest.trim_start();
    let known =
        KEYS.contains(&key) || PREFIXES.iter().any(|prefix| key.len() > prefix.len() && key.starts_with(prefix));
    if !known {
        let nearest = nearest(key, KEYS.iter().copied());
        let next =
            nearest.map(|near| format!("did you mean @{near}?")).unwrap_or_else(|| "it has no effect".to_owned());
        reader.warn(place, format!("unknown annotation `@{key}`"), next);
    }
    let Some(value) = rest.strip_prefix(':') else {
        if known {
            return Err(reader.source.diagnostic(
                place,
                format!("annotation `@{key}` lacks its `:`"),
                format!("write -- @{key}: value"),
            ));
        }
        return Ok(None);
    };
    let value = unquoted(value.trim());
    let annotation = Annotation { key: key.to_owned(), value: value.to_owned(), span };
    if known && let Err((what, next)) = check(reader, &annotation) {
        return Err(reader.source.diagnostic(span, what, next));
    }
    if known && !READ.contains(&key) {
        reader.warn(place, format!("nothing reads `@{key}` yet"), "it has no effect");
    }
    Ok(Some(annotation))
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if value.len() >= 2
            && let Some(inner) = value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote))
        {
            return inner;
        }
    }
    value
}

/// What the values of known keys look like.
fn check(reader: &Reader<'_>, annotation: &Annotation) -> Result<(), (String, String)> {
    let Annotation { key, value, .. } = annotation;
    let fail = |what: &str, next: &str| Err((format!("annotation `@{key}` {what}"), next.to_owned()));
    if value.is_empty() {
        return fail("has no value", &format!("write -- @{key}: value"));
    }
    let name = |text: &str, more: &str| {
        let first = text
            .chars()
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || more.contains(first) && first == ':');
        first
            && text
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '_' || more.contains(character))
    };
    match key.as_str() {
        "metric_type" if !["counter", "gauge", "histogram"].contains(&value.as_str()) => {
            let nearest = nearest(value, ["counter", "gauge", "histogram"]);
            let next =
                nearest.map_or("it is counter, gauge or histogram".to_owned(), |near| format!("did you mean {near}?"));
            Err((format!("`{value}` is no type of metric"), next))
        }
        "metric" if !name(value, ":") => fail(
            "is no name of a metric",
            "letters, digits, `_` and `:`, not beginning with a digit: velo_orders_total",
        ),
        "metric_labels" if !value.split(',').all(|label| name(label.trim(), ".")) => {
            fail("is a list of columns", "write -- @metric_labels: symbol, metadata.region")
        }
        "metric_field" if !name(value, ".") => fail("is one column", "write -- @metric_field: price"),
        "metric_buckets" => {
            let inner = value.trim_start_matches('[').trim_end_matches(']');
            let bounds: Option<Vec<f64>> = inner.split(',').map(|bound| bound.trim().parse().ok()).collect();
            match bounds {
                Some(bounds) if bounds.windows(2).all(|pair| pair[0] < pair[1]) => Ok(()),
                _ => fail("is a list of numbers that rise", "write -- @metric_buckets: 0.01, 0.1, 1, 10"),
            }
        }
        "metric_condition" => match super::parse_expression(value, reader.source.file) {
            Ok(_) => Ok(()),
            Err(error) => {
                fail(&format!("is no condition: {}", error.fault.what), "write -- @metric_condition: volume > 1000")
            }
        },
        "batch_size" | "num_partitions" if !value.parse::<u32>().is_ok_and(|count| count > 0) => {
            fail("is a whole number above zero", &format!("write -- @{key}: 4"))
        }
        key if key.ends_with(".enabled") && !["true", "false"].contains(&value.as_str()) => {
            fail("is true or false", &format!("write -- @{key}: true"))
        }
        _ => Ok(()),
    }
}

/// Holds the lines of one metric together: a type without a name, a gauge without a field.
#[derive(Default)]
struct Metrics {
    open: Option<Open>,
}

struct Open {
    statement: usize,
    name: Annotation,
    kind: String,
    field: bool,
}

impl Metrics {
    fn see(&mut self, reader: &Reader<'_>, annotation: &Annotation, statement: usize, errors: &mut Vec<Diagnostic>) {
        if annotation.key == "metric" {
            self.finish(reader, errors);
            self.open = Some(Open { statement, name: annotation.clone(), kind: "counter".to_owned(), field: false });
            return;
        }
        if !annotation.key.starts_with("metric_") {
            return;
        }
        match self.open.as_mut().filter(|open| open.statement == statement) {
            Some(open) if annotation.key == "metric_type" => open.kind.clone_from(&annotation.value),
            Some(open) => open.field |= annotation.key == "metric_field",
            // The documents show single lines of a metric on their own.
            None if statement_follows(reader, annotation) => {
                let what = format!("annotation `@{}` belongs to no metric", annotation.key);
                errors.push(reader.source.diagnostic(annotation.span, what, "write -- @metric: name above it"));
            }
            None => {}
        }
    }

    fn finish(&mut self, reader: &Reader<'_>, errors: &mut Vec<Diagnostic>) {
        let Some(open) = self.open.take() else { return };
        if open.kind != "counter" && !open.field {
            let what = format!("the {} `{}` lacks its field", open.kind, open.name.value);
            errors.push(reader.source.diagnostic(open.name.span, what, "write -- @metric_field: column below it"));
        }
    }
}

/// Whether anything but comments stands behind an annotation.
fn statement_follows(reader: &Reader<'_>, annotation: &Annotation) -> bool {
    let rest = &reader.source.text[annotation.span.end..];
    rest.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with("--"))
}
