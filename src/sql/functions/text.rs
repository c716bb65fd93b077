//! Functions on text that DataFusion does not have: those of Nexmark (SPLIT_INDEX, COUNT_CHAR, REGEXP_EXTRACT), masks,
//! and searches with the arguments in the order of other engines.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, Int64Builder, StringBuilder};
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, Result, exec_err};
use datafusion_expr::ScalarUDF;
use regex::Regex;

use super::scalar::{Call, Kept, Scalar, Want};

const CATEGORY: &str = "Text";

/// The functions on text.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let text: fn(&[DataType]) -> DataType = |_| DataType::Utf8;
    vec![
        Scalar::new(
            CATEGORY,
            "split_index",
            "split_index(text, delimiter, index)",
            "The part of that number, from 0, between delimiters; NULL where there is none.",
            "SELECT split_index('https://a.b/c', '/', 2)",
        )
        .takes(&[Want::Text, Want::Text, Want::Whole])
        .runs(text, split_index),
        Scalar::new(
            CATEGORY,
            "count_char",
            "count_char(text, part)",
            "How often a letter or a part stands in a text, without overlap.",
            "SELECT count_char('banana', 'a')",
        )
        .takes(&[Want::Text, Want::Text])
        .runs(|_| DataType::Int64, count_char),
        Scalar::new(
            CATEGORY,
            "regexp_extract",
            "regexp_extract(text, pattern[, group])",
            "What a group of the first match says; group 0 is the whole match, and the default is 1 where there is one.",
            "SELECT regexp_extract('channel_id=42&x', 'channel_id=([^&]*)', 1)",
        )
        .also(&["regexp_substr"])
        .takes(&[Want::Text, Want::Text])
        .takes(&[Want::Text, Want::Text, Want::Whole])
        .runs(text, regexp_extract),
        Scalar::new(
            CATEGORY,
            "regexp",
            "regexp(text, pattern)",
            "Whether the pattern is found in the text.",
            "SELECT regexp('abc', '^a')",
        )
        .also(&["rlike"])
        .takes(&[Want::Text, Want::Text])
        .runs(|_| DataType::Boolean, regexp),
        Scalar::new(
            CATEGORY,
            "locate",
            "locate(part, text[, from])",
            "Where a part begins in a text, from 1; 0 where it does not.",
            "SELECT locate('na', 'banana')",
        )
        .also(&["charindex"])
        .takes(&[Want::Text, Want::Text])
        .takes(&[Want::Text, Want::Text, Want::Whole])
        .runs(|_| DataType::Int64, locate),
        mask("mask", "mask(text)", "Replaces capitals by X, small letters by x and digits by n.", |call| {
            masked(call, |_, _| true)
        }),
        mask("mask_left", "mask_left(text, count)", "As mask, only the first letters.", |call| {
            masked(call, |at, ends| at < ends.count)
        }),
        mask("mask_right", "mask_right(text, count)", "As mask, only the last letters.", |call| {
            masked(call, |at, ends| at >= ends.length - ends.count)
        }),
        mask("mask_keep_left", "mask_keep_left(text, count)", "As mask, all but the first letters.", |call| {
            masked(call, |at, ends| at >= ends.count)
        }),
        mask("mask_keep_right", "mask_keep_right(text, count)", "As mask, all but the last letters.", |call| {
            masked(call, |at, ends| at < ends.length - ends.count)
        }),
    ]
}

fn split_index(call: &Call) -> Result<ArrayRef> {
    let (texts, delimiters, indices) = (call.text(0), call.text(1), call.whole(2));
    let mut made = StringBuilder::with_capacity(call.rows, call.rows * 16);
    for row in 0..call.rows {
        let part = match (texts.at(row), delimiters.at(row), indices.at(row)) {
            (Some(text), Some(delimiter), Some(index)) if !delimiter.is_empty() => {
                usize::try_from(index).ok().and_then(|index| text.split(delimiter).nth(index))
            }
            _ => None,
        };
        made.append_option(part);
    }
    Ok(Arc::new(made.finish()))
}

fn count_char(call: &Call) -> Result<ArrayRef> {
    let (texts, parts) = (call.text(0), call.text(1));
    let mut made = Int64Builder::with_capacity(call.rows);
    for row in 0..call.rows {
        let count = texts.at(row).zip(parts.at(row)).map(|(text, part)| match part.as_bytes() {
            [] => 0,
            [byte] => text.bytes().filter(|other| other == byte).count(),
            _ => text.matches(part).count(),
        });
        made.append_option(count.and_then(|count| i64::try_from(count).ok()));
    }
    Ok(Arc::new(made.finish()))
}

fn compile(pattern: &str) -> Result<Regex> {
    Regex::new(pattern)
        .map_err(|why| DataFusionError::Execution(format!("`{pattern}` is no regular expression: {why}")))
}

fn regexp_extract(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.text(0), call.text(1));
    let mut made = StringBuilder::with_capacity(call.rows, call.rows * 16);
    let mut kept = Kept::new();
    for row in 0..call.rows {
        let group = if call.count() == 3 { call.whole(2).at(row) } else { Some(-1) };
        let (Some(text), Some(pattern), Some(group)) = (texts.at(row), patterns.at(row), group) else {
            made.append_null();
            continue;
        };
        let (pattern, places) = kept.of(pattern, |pattern| {
            let pattern = compile(pattern)?;
            let places = pattern.capture_locations();
            Ok((pattern, places))
        })?;
        let group = match usize::try_from(group) {
            Ok(group) if group < pattern.captures_len() => group,
            Ok(group) => return exec_err!("the pattern `{pattern}` has no group {group}"),
            Err(_) => usize::from(pattern.captures_len() > 1),
        };
        let found = pattern.captures_read(places, text).and_then(|_| places.get(group));
        made.append_option(found.map(|(start, end)| &text[start..end]));
    }
    Ok(Arc::new(made.finish()))
}

fn regexp(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.text(0), call.text(1));
    let mut made = BooleanBuilder::with_capacity(call.rows);
    let mut kept = Kept::new();
    for row in 0..call.rows {
        match (texts.at(row), patterns.at(row)) {
            (Some(text), Some(pattern)) => made.append_value(kept.of(pattern, compile)?.is_match(text)),
            _ => made.append_null(),
        }
    }
    Ok(Arc::new(made.finish()))
}

fn locate(call: &Call) -> Result<ArrayRef> {
    let (parts, texts) = (call.text(0), call.text(1));
    let mut made = Int64Builder::with_capacity(call.rows);
    for row in 0..call.rows {
        let from = if call.count() == 3 { call.whole(2).at(row) } else { Some(1) };
        let place = match (parts.at(row), texts.at(row), from) {
            (Some(part), Some(text), Some(from)) => Some(place(part, text, from)),
            _ => None,
        };
        made.append_option(place);
    }
    Ok(Arc::new(made.finish()))
}

/// The letter, from 1, at which `part` begins in `text` at or after letter `from`; 0 where it does not.
fn place(part: &str, text: &str, from: i64) -> i64 {
    let Some(skipped) = from.checked_sub(1).and_then(|skipped| usize::try_from(skipped).ok()) else { return 0 };
    let start =
        if skipped == 0 { Some(0) } else { text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(skipped) };
    let found = start.and_then(|start| text[start..].find(part).map(|at| start + at));
    found.and_then(|at| i64::try_from(text[..at].chars().count() + 1).ok()).unwrap_or(0)
}

/// What a mask asks about a letter: how many were named and how many there are.
struct Ends {
    count: i64,
    length: i64,
}

fn mask(
    name: &'static str,
    syntax: &'static str,
    help: &'static str,
    kernel: fn(&Call) -> Result<ArrayRef>,
) -> Arc<ScalarUDF> {
    let whole = name == "mask";
    let example = if whole { "SELECT mask('Card 4711')" } else { "SELECT mask_keep_right('4711 0815', 4)" };
    let made = Scalar::new(CATEGORY, name, syntax, help, example);
    let made = if whole { made.takes(&[Want::Text]) } else { made.takes(&[Want::Text, Want::Whole]) };
    made.runs(|_| DataType::Utf8, kernel)
}

fn masked(call: &Call, hides: fn(i64, &Ends) -> bool) -> Result<ArrayRef> {
    let texts = call.text(0);
    let mut made = StringBuilder::with_capacity(call.rows, call.rows * 16);
    let mut hidden = String::new();
    for row in 0..call.rows {
        let count = if call.count() == 2 { call.whole(1).at(row) } else { Some(0) };
        let (Some(text), Some(count)) = (texts.at(row), count) else {
            made.append_null();
            continue;
        };
        let ends = Ends { count: count.max(0), length: i64::try_from(text.chars().count()).unwrap_or(i64::MAX) };
        hidden.clear();
        hidden.extend((0..).zip(text.chars()).map(|(at, letter)| match letter {
            letter if !hides(at, &ends) => letter,
            letter if letter.is_uppercase() => 'X',
            letter if letter.is_lowercase() => 'x',
            letter if letter.is_numeric() => 'n',
            letter if letter.is_alphabetic() => 'x',
            letter => letter,
        }));
        made.append_value(&hidden);
    }
    Ok(Arc::new(made.finish()))
}
