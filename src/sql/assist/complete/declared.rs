//! What may stand within a declaration: behind CREATE, among columns, among options.

use super::position::Position;
use super::words::Word;

/// Behind CREATE and what follows it.
pub(super) fn create(last: &Word<'_>, before: Option<&Word<'_>>) -> Position {
    const KINDS: &[&str] = &["STREAM", "TABLE", "VIEW", "SOURCE", "SINK"];
    let words: &'static [&'static str] = match () {
        () if last.is("CREATE") => {
            &["STREAM", "TABLE", "VIEW", "MATERIALIZED VIEW", "SOURCE", "SINK", "OR REPLACE STREAM", "OR REPLACE TABLE"]
        }
        () if last.is("OR") => &["REPLACE"],
        () if last.is("REPLACE") => &["STREAM", "TABLE", "VIEW", "SOURCE", "SINK"],
        () if last.is("MATERIALIZED") => &["VIEW"],
        () if last.is_one_of(KINDS)
            && before.is_some_and(|before| before.is_one_of(&["CREATE", "REPLACE", "MATERIALIZED"])) =>
        {
            &["IF NOT EXISTS"]
        }
        () if last.is("EXISTS") => return Position::Nothing,
        () if last.text == ")" => &["WITH (", "AS SELECT"],
        () => &["AS SELECT", "AS WITH", "WITH ("],
    };
    Position::Words(words)
}

/// Within the columns of a declaration.
pub(super) fn column(last: &Word<'_>, before: Option<&Word<'_>>, is_first: bool) -> Position {
    let begins = |word: &Word<'_>| word.text == "(" || word.text == ",";
    match () {
        () if is_first => Position::Nothing,
        () if last.text == "," => Position::Words(&["WATERMARK FOR", "PRIMARY KEY ("]),
        () if last.is("WATERMARK") => Position::Words(&["FOR"]),
        () if last.is("NOT") => Position::Words(&["NULL"]),
        () if last.is("METADATA") => Position::Words(&["FROM"]),
        () if before.is_some_and(begins) => Position::Type,
        () => Position::Words(&["PRIMARY KEY", "NOT NULL", "METADATA FROM", "AS"]),
    }
}

/// Within `WITH (…)`.
pub(super) fn option(words: &[Word<'_>], last: &Word<'_>) -> Position {
    match last.text {
        "(" | "," => Position::OptionKey,
        "=" => {
            let start = words.iter().rposition(|word| ["(", ","].contains(&word.text)).map_or(0, |at| at + 1);
            let key: String =
                words[start..words.len() - 1].iter().map(|word| word.text.trim_matches(['\'', '"'])).collect();
            Position::OptionValue(key.to_lowercase())
        }
        _ => Position::Nothing,
    }
}
