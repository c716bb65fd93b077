//! Types as the planner names them to types as SQL does, and what a function takes in a person's words. Pure.

use arrow::datatypes::DataType;

use super::template::listed;
use crate::formats::types;

/// A type of Arrow, by its text, as SQL writes it.
pub fn sql(arrow: &str) -> String {
    let text = arrow.trim();
    if let Some(item) = text.strip_prefix("List(").and_then(|rest| rest.strip_suffix(')')) {
        let item = item.strip_prefix("non-null ").unwrap_or(item);
        return format!("ARRAY<{}>", sql(item));
    }
    match text {
        "Null" => "NULL".to_owned(),
        _ if text.starts_with("Interval") => "INTERVAL".to_owned(),
        _ if text.starts_with("Struct") => "STRUCT".to_owned(),
        _ if text.starts_with("Map") => "MAP".to_owned(),
        _ => text.parse::<DataType>().map_or_else(|_| text.to_owned(), |known| types::name(&known)),
    }
}

/// Several of them.
pub fn all(arrow: &str) -> Vec<String> {
    listed(arrow).into_iter().map(sql).collect()
}

/// Kinds of values, each with the words by which the planner's candidates name it.
const KINDS: [(&str, &[&str]); 7] = [
    ("numbers", &["Decimal", "Numeric", "Float", "Int64", "Int32", "Integer"]),
    ("texts", &["String", "Utf8"]),
    ("times", &["Timestamp", "Date", "Time64"]),
    ("lengths of time", &["Duration", "Interval"]),
    ("conditions", &["Boolean"]),
    ("arrays", &["List", "Array"]),
    ("bytes", &["Binary"]),
];

/// What a function takes, by the planner's candidates for it.
pub fn kinds(candidates: &str) -> Vec<&'static str> {
    let has = |words: &[&str]| words.iter().any(|word| candidates.contains(word));
    KINDS.iter().filter(|(_, words)| has(words)).map(|(kind, _)| *kind).collect()
}

/// Whether a type is text.
pub fn is_text(sql: &str) -> bool {
    sql == "VARCHAR"
}

/// Whether a type is a point in time.
pub fn is_time(sql: &str) -> bool {
    sql.starts_with("TIMESTAMP") || sql == "DATE"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_names_that_a_declaration_takes() {
        for (arrow, expected) in [
            ("Utf8", "VARCHAR"),
            ("Decimal128(18, 2)", "DECIMAL(18,2)"),
            ("Timestamp(ms)", "TIMESTAMP(3)"),
            ("List(Utf8)", "ARRAY<VARCHAR>"),
            ("Interval(MonthDayNano)", "INTERVAL"),
            ("Null", "NULL"),
            ("Something(else)", "Something(else)"),
        ] {
            assert_eq!(sql(arrow), expected, "{arrow}");
        }
    }
}
