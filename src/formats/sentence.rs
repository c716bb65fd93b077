//! Sentences of Arrow and DataFusion in the words of SQL: the types by their names, without what the libraries say of
//! themselves. Pure.

use arrow::datatypes::DataType;

use super::types;

/// What stands before a sentence and says which library says it.
const PREFIXES: [&str; 7] = [
    "Execution error: ",
    "Arrow error: ",
    "Cast error: ",
    "Parser error: ",
    "Invalid argument error: ",
    "Compute error: ",
    "External error: ",
];

/// A sentence of a library, for people.
pub fn plain(sentence: &str) -> String {
    let mut text = sentence;
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    cast(text).unwrap_or_else(|| with_types(text))
}

/// A value that is none of a type: what arrow's casts say of it, each kernel in its own words.
fn cast(text: &str) -> Option<String> {
    for (head, between, tail) in [
        ("Cannot cast string ", " to value of ", " type"),
        ("Cannot cast value ", " to value of ", " type"),
        ("Cannot cast string ", " to type ", ""),
    ] {
        let found =
            text.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail)).and_then(|rest| rest.rsplit_once(between));
        if let Some((value, to)) = found {
            return Some(format!("{value} is no {}", with_types(to)));
        }
    }
    let (value, to) = text.strip_prefix("Can't cast value ")?.rsplit_once(" to type ")?;
    Some(format!("{value} does not fit {}", with_types(to)))
}

/// The same text with the names that SQL has for types. What stands in quotes is a value, and stays.
pub fn with_types(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    let mut quote = None;
    while let Some(letter) = rest.chars().next() {
        let after_word = made.ends_with(|before: char| before.is_ascii_alphanumeric() || before == '_');
        if quote.is_none()
            && letter.is_ascii_uppercase()
            && !after_word
            && let Some((length, name)) = type_at(rest)
        {
            made.push_str(&name);
            rest = &rest[length..];
            continue;
        }
        match quote {
            Some(open) if open == letter => quote = None,
            // A quote within a word is an apostrophe.
            None if matches!(letter, '\'' | '"') && !after_word => quote = Some(letter),
            _ => {}
        }
        made.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    made
}

/// A compiled expression as SQL would write it: columns by their names, types by theirs.
pub fn expression(expression: &impl std::fmt::Display) -> String {
    let text = expression.to_string();
    let mut parts = text.split('@');
    let first = parts.next().unwrap_or_default().to_owned();
    // Behind the name of a column stands its place.
    let all = parts.fold(first, |made, part| made + part.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    with_types(&all)
}

/// The type that a text begins with: how long its name is there, and what SQL calls it.
fn type_at(text: &str) -> Option<(usize, String)> {
    let word = text.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(text.len());
    let whole = match text[word..].starts_with('(') {
        true => word + closing(&text[word..])?,
        false => word,
    };
    if whole == word && ["Decimal32", "Decimal64", "Decimal128", "Decimal256"].contains(&&text[..word]) {
        return Some((word, "DECIMAL".to_owned()));
    }
    // Words that are also words of a sentence.
    if ["Null", "Map", "List", "Struct", "Binary", "Interval"].contains(&&text[..whole]) {
        return None;
    }
    let known: DataType = text[..whole].parse().ok()?;
    Some((whole, types::name(&known)))
}

/// Bytes up to the end of the parenthesis that a text begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 1 => return Some(at + 1),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_types_as_sql_does_and_leaves_values_alone() {
        for (said, expected) in [
            ("Cast error: Cannot cast string 'x' to value of Int64 type", "'x' is no BIGINT"),
            (
                "Cast error: Cannot cast string 'to value of' to value of Decimal128(38, 10) type",
                "'to value of' is no DECIMAL(38,10)",
            ),
            ("Cast error: Cannot cast value 'perhaps' to value of Boolean type", "'perhaps' is no BOOLEAN"),
            ("Cast error: Can't cast value 3000000000 to type Int32", "3000000000 does not fit INT"),
            ("the sum does not fit Decimal128(38, 0); CAST it", "the sum does not fit DECIMAL(38,0); CAST it"),
            ("a Utf8 is no List(Utf8), 'Int64' is a value", "a VARCHAR is no ARRAY<VARCHAR>, 'Int64' is a value"),
            (
                "9.99 is too large to store in a Decimal128 of precision 2",
                "9.99 is too large to store in a DECIMAL of precision 2",
            ),
            ("it isn't a Timestamp(ms)", "it isn't a TIMESTAMP(3)"),
            ("MyInt64 Int64s Internal stays (", "MyInt64 Int64s Internal stays ("),
        ] {
            assert_eq!(plain(said), expected, "{said}");
        }
    }
}
