//! What the parser makes of a text, seen through its statements.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::statement::*;
use super::*;

/// The one statement of a text without errors.
fn one(text: &str) -> Statement {
    let script = parse(text, "test.sql");
    assert!(script.errors.is_empty(), "{text}\n{}", shown(&script.errors, text));
    assert_eq!(script.statements.len(), 1, "{text}");
    script.statements.into_iter().next().unwrap()
}

fn shown(errors: &[Diagnostic], text: &str) -> String {
    errors.iter().map(|error| render(error, text)).collect()
}

fn query(text: &str) -> StreamQuery {
    match one(text).kind {
        StatementKind::Query(query)
        | StatementKind::CreateStream(Definition { query, .. })
        | StatementKind::CreateTable(Definition { query, .. })
        | StatementKind::CreateView(Definition { query, .. })
        | StatementKind::Insert { query, .. } => query,
        other => panic!("no query: {other:?}"),
    }
}

/// The plain query as SQL.
fn plain(text: &str) -> String {
    query(text).query.to_string()
}

/// The first error of a text as `line:column what; next`.
fn error(text: &str) -> String {
    let script = parse(text, "test.sql");
    let error = script.errors.first().unwrap_or_else(|| panic!("no error: {text}"));
    error.fault.to_string().trim_start_matches("test.sql:").to_owned()
}

fn tumbling(size: &str) -> WindowKind {
    WindowKind::Tumbling { size: measure(size).unwrap(), offset: Duration::ZERO }
}

fn hopping(size: &str, advance: &str) -> WindowKind {
    WindowKind::Hopping { size: measure(size).unwrap(), advance: measure(advance).unwrap() }
}

#[test]
fn a_window_applies_to_the_from_and_to_the_grouping_in_every_spelling() {
    let wanted = "SELECT k, COUNT(*) FROM (t) AS __window_0 GROUP BY k, window_start, window_end";
    for (text, kind) in [
        ("SELECT k, COUNT(*) FROM t WINDOW TUMBLING(1h) GROUP BY k", tumbling("1h")),
        ("SELECT k, COUNT(*) FROM t GROUP BY k WINDOW TUMBLING(1h)", tumbling("1h")),
        ("SELECT k, COUNT(*) FROM t WINDOW TUMBLING(INTERVAL '5' MINUTES) GROUP BY k", tumbling("5m")),
        ("SELECT k, COUNT(*) FROM t WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 5 MINUTES) GROUP BY k", tumbling("1h")),
        ("SELECT k, COUNT(*) FROM t GROUP BY k, TUMBLE(ts, INTERVAL '1' MINUTE)", tumbling("1m")),
        ("SELECT k, COUNT(*) FROM t GROUP BY tumble(interval '5 minutes'), k", tumbling("5m")),
        ("SELECT k, COUNT(*) FROM t WINDOW SLIDING(10m, 1m) GROUP BY k", hopping("10m", "1m")),
        ("SELECT k, COUNT(*) FROM t WINDOW HOPPING(ts, 10m, 1m) GROUP BY k", hopping("10m", "1m")),
        (
            "SELECT k, COUNT(*) FROM t WINDOW HOPPING (SIZE 10 MINUTES, ADVANCE BY 1 MINUTE) GROUP BY k",
            hopping("10m", "1m"),
        ),
        ("SELECT k, COUNT(*) FROM t GROUP BY k, hop(interval '1 minute', interval '10 minutes')", hopping("10m", "1m")),
        (
            "SELECT k, COUNT(*) FROM t WINDOW SESSION(30s) GROUP BY k",
            WindowKind::Session { gap: Duration::from_secs(30) },
        ),
        (
            "SELECT k, COUNT(*) FROM t WINDOW CUMULATE(1h, 1d) GROUP BY k",
            WindowKind::Cumulating { size: Duration::from_secs(86_400), step: Duration::from_secs(3_600) },
        ),
    ] {
        let query = query(text);
        assert_eq!(query.query.to_string(), wanted, "{text}");
        assert_eq!(query.windows.len(), 1, "{text}");
        assert_eq!(query.windows[0].kind, kind, "{text}");
    }
}
