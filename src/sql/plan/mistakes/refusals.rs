//! What the planner says of a constant that no row can make good, in the words of SQL. Pure.

use super::said::{Said, said};
use super::template::holes;
use crate::core::words::did_you_mean;
use crate::sql::functions::registry::Functions;

/// Parts of a time that people take.
const PARTS: [&str; 14] = [
    "YEAR",
    "QUARTER",
    "MONTH",
    "WEEK",
    "DAY",
    "HOUR",
    "MINUTE",
    "SECOND",
    "MILLISECOND",
    "MICROSECOND",
    "DOW",
    "DOY",
    "ISODOW",
    "EPOCH",
];

/// Syntax that the planner does not know, which it shows as the tree that it was read to.
fn trees(text: &str) -> Option<Said> {
    if !["Span(", "Ident {", "ObjectName("].iter().any(|part| text.contains(part)) {
        return None;
    }
    let start = text.find(['{', '(', '[']).unwrap_or(text.len());
    let (before, kind) = text[..start].trim_end().rsplit_once([' ', '\'']).unwrap_or(("", &text[..start]));
    if !before.starts_with("Unsupported ast node") || kind == "Identifier" {
        return said(before.trim_end_matches([':', ' ', '\'']), "");
    }
    let mut name = String::new();
    for letter in kind.trim().chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    let next = if name == "CONVERT" { "write CAST(… AS VARCHAR)" } else { "" };
    said(format!("{name} is not known here"), next)
}

/// A pattern, a part of a time, a share of rows that cannot be.
pub(super) fn refusals(text: &str, _: &Functions) -> Option<Said> {
    if let Some(said) = trees(text) {
        return Some(said);
    }
    let part = holes(text, "Date part '{}' not supported{}")
        .or_else(|| holes(text, "Unsupported date_trunc granularity: '{}'. Supported{}"));
    if let Some(found) = part {
        let listed = || format!("parts are {}", PARTS.join(", "));
        let next = did_you_mean(&found[0].to_uppercase(), PARTS).unwrap_or_else(listed);
        return said(format!("a time has no part `{}`", found[0]), next);
    }
    if text.contains("regex parse error") || text.contains("Regular expression did not compile") {
        let why = text.split("error: ").last().and_then(|why| why.lines().next()).unwrap_or("it cannot be read");
        return said(
            format!("this is no regular expression: {why}"),
            "a sign is taken as it is behind a backslash: \\(",
        );
    }
    if text.starts_with("Decimal scale ") || text.starts_with("Cannot parse") && text.contains("as i256") {
        return said("a number has too many digits for a DECIMAL", "CAST('1e300' AS DOUBLE) has any size");
    }
    if text.starts_with("LATERAL syntax is not supported for") {
        return said(
            "RIGHT and FULL JOIN LATERAL cannot be: it looks at the row on the left",
            "write LEFT JOIN LATERAL",
        );
    }
    if text.starts_with("unnest() can only be applied") || text.starts_with("unnest() does not support null") {
        let next = "make an array of it: UNNEST([a, b]); the entries of a map are read in FROM: CROSS JOIN UNNEST(m) AS t (k, v)";
        return said("UNNEST takes an array here", next);
    }
    if text == "field position must not be zero" {
        return said("SPLIT_PART counts parts from 1", "the first one is SPLIT_PART(text, ',', 1)");
    }
    let found = holes(text, "Percentile value must be between 0.0 and 1.0 inclusive, {} is invalid")?;
    said(format!("the share of a percentile is from 0 to 1, not {}", found[0]), "write 0.95")
}
