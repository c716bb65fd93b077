//! What the parser makes of a text, seen through its statements.
#![allow(clippy::unwrap_used)]

mod answers;
mod corpus;
mod formatting;
mod statements;
mod wild;

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

#[test]
fn a_table_function_marks_its_relation_and_groups_only_as_told() {
    for (text, wanted) in [
        (
            "SELECT window_start, count(*) FROM TUMBLE(t, ts, INTERVAL '1' MINUTE) GROUP BY window_start",
            "SELECT window_start, count(*) FROM (t) AS __window_0 GROUP BY window_start, window_end",
        ),
        (
            "SELECT w.window_end FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) AS w",
            "SELECT w.window_end FROM (t AS w) AS __window_0",
        ),
        (
            "SELECT * FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '10' MINUTES) h JOIN b ON h.id = b.id",
            "SELECT * FROM (t AS h) AS __window_0 JOIN b ON h.id = b.id",
        ),
        (
            "SELECT a.x FROM TUMBLE(a, ts, 1m) a JOIN TUMBLE(b, ts, 1m) b ON a.k = b.k AND a.window_start = b.window_start",
            "SELECT a.x FROM (a AS a) AS __window_0 JOIN (b AS b) AS __window_1 ON a.k = b.k AND a.window_start = b.window_start",
        ),
        (
            "SELECT * FROM TUMBLE((SELECT * FROM t WHERE x > 1), ts, 1m) AS q",
            "SELECT * FROM ((SELECT * FROM t WHERE x > 1) AS q) AS __window_0",
        ),
        (
            "SELECT max(c) FROM (SELECT count(*) AS c FROM t GROUP BY TUMBLE(ts, 1m)) AS q",
            "SELECT max(c) FROM (SELECT count(*) AS c FROM (t) AS __window_0 GROUP BY window_start, window_end) AS q",
        ),
        (
            "SELECT item, count(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY item",
            "SELECT item, count(*) FROM (t) AS __window_0 GROUP BY item",
        ),
        (
            "SELECT * FROM TUMBLE(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' MINUTE)",
            "SELECT * FROM (t) AS __window_0",
        ),
    ] {
        assert_eq!(plain(text), wanted, "{text}");
    }
    let query = query("SELECT * FROM SESSION(TABLE t PARTITION BY a, b, DESCRIPTOR(ts), INTERVAL '10' MINUTES)");
    let keys: Vec<String> = query.windows[0].partition_by.iter().map(ToString::to_string).collect();
    assert_eq!(query.windows[0].time.as_ref().unwrap().to_string(), "ts");
    assert_eq!(
        {
            let mut keys = keys;
            keys.sort();
            keys
        },
        ["a", "b"]
    );
}

#[test]
fn a_window_keeps_aliases_joins_and_named_windows() {
    for (text, wanted) in [
        (
            "SELECT o.k, SUM(o.x) FROM orders o WINDOW TUMBLING(1m) GROUP BY o.k",
            "SELECT o.k, SUM(o.x) FROM (orders o) AS __window_0 GROUP BY o.k, window_start, window_end",
        ),
        (
            "SELECT a.k, COUNT(*) FROM a JOIN b ON a.k = b.k WINDOW TUMBLING(1m) WHERE a.x > 1 GROUP BY a.k HAVING COUNT(*) > 2",
            "SELECT a.k, COUNT(*) FROM (a JOIN b ON a.k = b.k) AS __window_0 WHERE a.x > 1 GROUP BY a.k, window_start, window_end HAVING COUNT(*) > 2",
        ),
        (
            "SELECT SUM(x) OVER w FROM t WINDOW w AS (PARTITION BY k ORDER BY ts)",
            "SELECT SUM(x) OVER w FROM t WINDOW w AS (PARTITION BY k ORDER BY ts)",
        ),
        (
            "SELECT COUNT(*) FROM t WINDOW TUMBLING(1m)",
            "SELECT COUNT(*) FROM (t) AS __window_0 GROUP BY window_start, window_end",
        ),
        ("SELECT x FROM t WINDOW TUMBLING(1m)", "SELECT x FROM (t) AS __window_0"),
        (
            "WITH w AS (SELECT k, COUNT(*) AS c FROM t WINDOW TUMBLING(1m) GROUP BY k) SELECT k FROM w WHERE c > 1",
            "WITH w AS (SELECT k, COUNT(*) AS c FROM (t) AS __window_0 GROUP BY k, window_start, window_end) SELECT k FROM w WHERE c > 1",
        ),
        (
            "SELECT k, COUNT(*) FROM a WINDOW TUMBLING(1m) GROUP BY k UNION ALL SELECT k, COUNT(*) FROM b WINDOW TUMBLING(2m) GROUP BY k",
            "SELECT k, COUNT(*) FROM (a) AS __window_0 GROUP BY k, window_start, window_end UNION ALL SELECT k, COUNT(*) FROM (b) AS __window_1 GROUP BY k, window_start, window_end",
        ),
        ("SELECT 1 FROM a, b WINDOW TUMBLING(1m)", "SELECT 1 FROM (a CROSS JOIN b) AS __window_0"),
    ] {
        assert_eq!(plain(text), wanted, "{text}");
    }
}

#[test]
fn the_bounds_of_a_window_have_one_name() {
    for (text, wanted) in [
        (
            "SELECT _window_start AS s, _window_end FROM t WINDOW TUMBLING(1m) GROUP BY k",
            "SELECT window_start AS s, window_end FROM (t) AS __window_0 GROUP BY k, window_start, window_end",
        ),
        (
            "SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE) AS s, TUMBLE_END(ts, INTERVAL '1' MINUTE) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), k",
            "SELECT window_start AS s, window_end FROM (t) AS __window_0 GROUP BY k, window_start, window_end",
        ),
        (
            "SELECT k, WINDOWSTART, WINDOWEND FROM t WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY k",
            "SELECT k, window_start, window_end FROM (t) AS __window_0 GROUP BY k, window_start, window_end",
        ),
        (
            "SELECT window.start, window.end, count(*) FROM t GROUP BY tumble(interval '5 minutes')",
            "SELECT window_start, window_end, count(*) FROM (t) AS __window_0 GROUP BY window_start, window_end",
        ),
        (
            "SELECT tumble(interval '5 minutes') AS w, count(*), w.start FROM t GROUP BY w",
            "SELECT named_struct('start', window_start, 'end', window_end) AS \"w\", count(*), window_start FROM (t) AS __window_0 GROUP BY window_start, window_end",
        ),
        (
            "SELECT hop(interval '2 seconds', interval '10 seconds') as window, k, count(*) FROM t GROUP BY 1, k",
            "SELECT named_struct('start', window_start, 'end', window_end) AS \"window\", k, count(*) FROM (t) AS __window_0 GROUP BY k, window_start, window_end",
        ),
        (
            "SELECT q.window.start FROM (SELECT tumble(interval '1 minute') AS window, count(*) FROM t GROUP BY 1) AS q",
            "SELECT q.window.start FROM (SELECT named_struct('start', window_start, 'end', window_end) AS \"window\", count(*) FROM (t) AS __window_0 GROUP BY window_start, window_end) AS q",
        ),
        ("SELECT window, emit, offset, key FROM t", "SELECT window, emit, offset, key FROM t"),
    ] {
        assert_eq!(plain(text), wanted, "{text}");
    }
}

#[test]
fn clauses_come_in_any_order_and_what_is_ours_is_taken_off() {
    let query = query(
        "CREATE STREAM out AS SELECT k AS id PRIMARY KEY, SUM(x) AS s FROM t EMIT CHANGES HAVING SUM(x) > 1 GROUP BY k \
         WINDOW TUMBLING(1m) INTO 'kafka://h:9092/out' ORDER BY s LIMIT 5 WITH ('out.topic' = 'o', format = json, n = 5, b = true, d = 10s, p = ['a', 'b'])",
    );
    let wanted = "SELECT k AS id, SUM(x) AS s FROM (t) AS __window_0 GROUP BY k, window_start, window_end HAVING SUM(x) > 1 ORDER BY s LIMIT 5";
    assert_eq!(query.query.to_string(), wanted);
    assert_eq!(query.emit, Some(Emit::Changes));
    assert_eq!(query.into, Some(EndName::Uri("kafka://h:9092/out".into())));
    assert_eq!(query.key, ["id"]);
    let options: Vec<(&str, &str)> = query.options.iter().map(|(key, value)| (key, value.text.as_str())).collect();
    let wanted = [("out.topic", "o"), ("format", "json"), ("n", "5"), ("b", "true"), ("d", "10s"), ("p", "a,b")];
    assert_eq!(options, wanted);
    assert_eq!(query.options.value("n").unwrap().place.as_ref().unwrap().to_string(), "test.sql:1:216");
}

#[test]
fn emit_says_when() {
    for (text, emit) in [
        ("EMIT CHANGES", Emit::Changes),
        ("EMIT FINAL", Emit::Final),
        ("EMIT ON WINDOW CLOSE", Emit::Final),
        ("EMIT EVERY INTERVAL '1' SECOND", Emit::Every(Duration::from_secs(1))),
        ("emit every 500ms", Emit::Every(Duration::from_millis(500))),
    ] {
        assert_eq!(query(&format!("SELECT * FROM t {text}")).emit, Some(emit), "{text}");
    }
}

#[test]
fn within_stands_in_the_condition_with_the_columns_it_compares() {
    for (text, wanted) in [
        (
            "SELECT * FROM a JOIN b WITHIN 5m ON a.id = b.id",
            "a JOIN b ON (a.id = b.id) AND __within(a.id, b.id, 300000, 300000)",
        ),
        (
            "SELECT * FROM a LEFT JOIN b ON a.x > 1 AND a.id = b.id WITHIN INTERVAL '5' MINUTES WHERE a.x = 1",
            "a LEFT JOIN b ON (a.x > 1 AND a.id = b.id) AND __within(a.id, b.id, 300000, 300000) WHERE a.x = 1",
        ),
        (
            "SELECT * FROM a FULL OUTER JOIN b WITHIN (5 MINUTES, 1 MINUTE) ON a.id = b.id JOIN c WITHIN 1h ON b.id = c.id",
            "a FULL JOIN b ON (a.id = b.id) AND __within(a.id, b.id, 300000, 60000) JOIN c ON (b.id = c.id) AND __within(b.id, c.id, 3600000, 3600000)",
        ),
        (
            "SELECT * FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.c = r.c",
            "orders o JOIN rates AS r FOR SYSTEM_TIME AS OF o.ts ON (o.c = r.c) AND __as_of(o.ts, o.c, r.c)",
        ),
        (
            "SELECT * FROM orders o JOIN rates AS r FOR SYSTEM_TIME AS OF o.ts ON o.c = r.c",
            "orders o JOIN rates AS r FOR SYSTEM_TIME AS OF o.ts ON (o.c = r.c) AND __as_of(o.ts, o.c, r.c)",
        ),
    ] {
        assert_eq!(plain(text), format!("SELECT * FROM {wanted}"), "{text}");
    }
}

#[test]
fn a_buffer_becomes_a_frame_and_the_mark_of_what_it_says() {
    let query = query(
        "SELECT AVG(p) OVER (ROWS WINDOW BUFFER 100 ROWS PARTITION BY s ORDER BY ts EMIT ON BUFFER FULL EXPIRE AFTER INTERVAL '1' HOUR INACTIVITY) AS a, \
         LAG(p, 1) OVER (ROWS WINDOW BUFFER 10 ROWS PARTITION BY s ORDER BY ts ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) FROM t",
    );
    let wanted = "SELECT AVG(p) OVER (PARTITION BY __buffer(100, 1, 3600000), s ORDER BY ts ROWS BETWEEN 99 PRECEDING AND CURRENT ROW) AS a, \
                  LAG(p, 1) OVER (PARTITION BY __buffer(10, 0, -1), s ORDER BY ts ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) FROM t";
    assert_eq!(query.query.to_string(), wanted);
}

#[test]
fn sources_are_names_uris_and_topics_with_hyphens() {
    for (text, wanted) in [
        ("SELECT * FROM 'kafka://h:9092/orders' o", "'kafka://h:9092/orders' o"),
        (
            "SELECT * FROM high-value-orders o JOIN x-2 ON o.a = x.b",
            "\"high-value-orders\" o JOIN \"x-2\" ON o.a = x.b",
        ),
        ("SELECT * FROM qa.customer.updates.v1", "\"qa.customer.updates.v1\""),
        ("SELECT * FROM a.b", "a.b"),
    ] {
        assert_eq!(plain(text), format!("SELECT * FROM {wanted}"), "{text}");
    }
}

#[test]
fn expressions_reach_into_values() {
    for text in [
        "SELECT a['b'], a.b.c, a[1], x % 2, j -> 'k' ->> 'l' FROM t",
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM u WHERE u.a = t.a) THEN 'x' ELSE 'y' END AS c FROM t",
        "SELECT EXTRACT(EPOCH FROM (NOW() - t.ts)), a IS DISTINCT FROM b FROM t",
        "SELECT * EXCEPT (a) FROM t",
        "SELECT ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS n FROM t QUALIFY n = 1",
        "SELECT x FROM t GROUP BY ROLLUP (x)",
    ] {
        query(text);
    }
    assert_eq!(plain("SELECT * FROM t WHERE _key LIKE \"CUST-%\""), "SELECT * FROM t WHERE _key LIKE 'CUST-%'");
}
