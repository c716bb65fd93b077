//! Whatever the text, the parser answers: no panic, ranges inside the text, the same answer twice.

use proptest::prelude::*;

use super::answers::{to_options, to_text};
use super::corpus::{FOREIGN, printed};
use super::*;

/// What options are made of, and lengths of time.
const OPTIONS: &[&str] = &[
    "'a.b'",
    "a.b",
    "topic",
    "state.ttl",
    "\"q\"",
    " = ",
    "=",
    ", ",
    ",",
    "'x'",
    "'it''s'",
    "1",
    "1.5",
    "-1",
    "TRUE",
    "NULL",
    "5m",
    "1h 30m",
    "999999999999s",
    "0.0001ms",
    "'${A}'",
    "${A}",
    "${B:-x}",
    "${C:?no}",
    "${",
    "}",
    "'",
    "\"",
    "(",
    ")",
    "{{ a }}",
    "{%",
    " ",
    "\n",
    ";",
    "--",
    "/*",
    "*/",
    "\u{00e9}",
    "\u{1F600}",
    "\u{0}",
];
/// What a soup is made of.
const PIECES: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "WINDOW",
    "TUMBLING",
    "HOP",
    "SESSION",
    "EMIT",
    "CHANGES",
    "EVERY",
    "INTO",
    "WITH",
    "CREATE",
    "STREAM",
    "TABLE",
    "AS",
    "JOIN",
    "LEFT",
    "WITHIN",
    "ON",
    "USING",
    "UNION ALL",
    "OVER",
    "ROWS WINDOW BUFFER",
    "ROWS",
    "PRIMARY KEY",
    "INTERVAL",
    "MINUTE",
    "DESCRIPTOR",
    "EXPLAIN",
    "INSERT INTO",
    "ORDER BY",
    "LIMIT",
    "VALUES",
    "CASE",
    "END",
    "NOT",
    "AND",
    "a",
    "t.b",
    "\"q\"",
    "'s'",
    "'kafka://h/t'",
    "1",
    "5m",
    "1.5",
    "(",
    ")",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    "=",
    "=>",
    "-",
    "*",
    ".",
    "::",
    "->",
    "${A}",
    "${B:-",
    "-- @metric: x\n",
    "-- @app",
    "/*",
    "*/",
    "'",
    "\"",
    "\n",
    "ü",
    "漢",
    "\u{0}",
    "$",
    "WATERMARK FOR",
    "DROP",
];

proptest! {
    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,80}") {
        to_text(&text);
    }

    #[test]
    fn a_soup_of_tokens_has_an_answer(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        to_text(&pieces.join(" "));
    }

    #[test]
    fn whatever_stands_in_with_has_an_answer(pieces in prop::collection::vec(prop::sample::select(OPTIONS), 0..12), text in "\\PC{0,20}") {
        to_options(&pieces.concat());
        to_options(&text);
        to_options(&format!("{}{text}", pieces.concat()));
    }

    #[test]
    fn a_mutation_of_what_is_right_has_an_answer(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, prop::sample::select(PIECES)), 1..4),
    ) {
        let mut texts: Vec<String> = printed().into_iter().map(|(_, text)| text).collect();
        texts.extend(FOREIGN.iter().map(|text| (*text).to_owned()));
        let mut characters: Vec<char> = which.get(&texts).chars().collect();
        for (place, length, piece) in cuts {
            let at = place.index(characters.len() + 1);
            let end = (at + length).min(characters.len());
            characters.splice(at..end, piece.chars());
        }
        to_text(&characters.into_iter().collect::<String>());
    }
}

#[test]
fn depth_and_length_are_bounded_not_fatal() {
    for text in [
        format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT {}", "(".repeat(100_000)),
        format!("SELECT * FROM {}t{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("{}SELECT 1{}", "SELECT * FROM (".repeat(3_000), ")".repeat(3_000)),
        format!("SELECT 1{}", " + 1".repeat(100_000)),
        format!("SELECT {}1{}", "(1 + ".repeat(80), ")".repeat(80)),
        format!("SELECT {}1{}", "(".repeat(40), " + 1 + 1 + 1 + 1)".repeat(40)),
        format!("SELECT {} x", "NOT ".repeat(100_000)),
        format!("SELECT {}1", "- ".repeat(100_000)),
        format!("SELECT a{} FROM t", "[1]".repeat(20_000)),
        format!("SELECT a{} FROM t", "::INT".repeat(20_000)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(20_000)),
        format!("SELECT 1 FROM a{}", " JOIN b ON x = y".repeat(20_000)),
        format!("SELECT {}1{}", "CASE WHEN 1 THEN ".repeat(5_000), " END".repeat(5_000)),
        format!("CREATE TABLE t (a {}INT{}) WITH (x = 1)", "ARRAY<".repeat(5_000), ">".repeat(5_000)),
        format!("{}SELECT 1", "EXPLAIN ".repeat(10_000)),
        "a".repeat(9 * 1024 * 1024),
    ] {
        let shown: String = text.chars().take(40).collect();
        let script = parse(&text, "deep.sql");
        assert!(!script.errors.is_empty(), "{shown}");
    }
    // What people write is far inside the limits.
    let values: Vec<String> = (0..10_000).map(|value| value.to_string()).collect();
    one(&format!("SELECT * FROM t WHERE a IN ({})", values.join(", ")));
    one(&format!("SELECT * FROM t WHERE {}", vec!["a = 1"; 5_000].join(" OR ")));
    one(&format!("SELECT {} FROM t", vec!["a + b AS c"; 2_000].join(", ")));
    one(&format!("SELECT {} FROM t", vec!["a"; 150].join(" + ")));
    one(&format!("SELECT {}1{}", "(".repeat(40), ")".repeat(40)));
}
