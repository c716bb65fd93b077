//! Tables of `(text with | as the cursor, what is offered)`.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Schema, TimeUnit};

use super::*;
use crate::sql::assist::catalog::{Columns, Relation, RelationKind, Sample, Topic, fields_of};

fn topic(name: &str, columns: Vec<(&str, DataType)>) -> Topic {
    let fields: Vec<_> = columns.into_iter().map(|(name, kind)| ArrowField::new(name, kind, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let mut fields = fields_of(&schema);
    for field in fields.iter_mut().filter(|field| field.name == "status") {
        field.samples = vec!["paid".into(), "new".into(), "it's".into()];
    }
    let sample = Sample { schema, fields, records: 100, at_ms: 0 };
    Topic { name: name.into(), partitions: 3, columns: Columns::Known(Arc::new(sample)) }
}

fn catalog() -> Catalog {
    let text = DataType::Utf8;
    let address = DataType::Struct(
        vec![ArrowField::new("city", text.clone(), true), ArrowField::new("zip", text.clone(), true)].into(),
    );
    let customer = DataType::Struct(
        vec![ArrowField::new("id", text.clone(), true), ArrowField::new("address", address, true)].into(),
    );
    let item = DataType::Struct(vec![ArrowField::new("sku", text.clone(), true)].into());
    let time = DataType::Timestamp(TimeUnit::Millisecond, None);
    let amount = DataType::Decimal128(18, 2);
    Catalog {
        topics: vec![
            topic(
                "orders",
                vec![
                    ("order_id", text.clone()),
                    ("customer_id", text.clone()),
                    ("amount", amount.clone()),
                    ("quantity", DataType::Int64),
                    ("status", text.clone()),
                    ("customer", customer),
                    ("items", DataType::new_list(item, true)),
                    ("ts", time.clone()),
                ],
            ),
            topic(
                "payments",
                vec![("payment_id", text.clone()), ("order_id", text.clone()), ("method", text), ("paid_at", time)],
            ),
            Topic { name: "qa.high-value.v1".into(), partitions: 1, columns: Columns::Unknown },
            Topic { name: "2024-orders".into(), partitions: 1, columns: Columns::Unknown },
        ],
        is_complete: true,
        relations: vec![
            Relation { name: "big".into(), kind: RelationKind::Stream, columns: None, at: 0 },
            Relation { name: "out".into(), kind: RelationKind::Sink, columns: None, at: 0 },
        ],
    }
}

fn at_cursor(text: &str) -> (String, Completion) {
    let offset = text.find('|').unwrap();
    let plain = text.replacen('|', "", 1);
    let completion = complete(&plain, offset, &catalog());
    (plain, completion)
}

/// The first labels that are offered.
fn check(text: &str, expected: &[&str]) {
    let (_, completion) = at_cursor(text);
    let labels: Vec<&str> = completion.items.iter().map(|item| item.label.as_str()).take(expected.len()).collect();
    assert_eq!(labels, expected, "{text}");
}

/// The text with the first item of a label taken, `|` where the cursor is then.
fn taken(text: &str, label: &str, expected: &str) {
    let (mut plain, completion) = at_cursor(text);
    let found = completion.items.iter().find(|item| item.label == label);
    let labels = || completion.items.iter().map(|item| item.label.clone()).collect::<Vec<_>>();
    let item = found.unwrap_or_else(|| panic!("{text}: no {label} in {:?}", labels()));
    let mut inserted = item.text.clone();
    inserted.insert(item.caret, '|');
    plain.replace_range(completion.replace.clone(), &inserted);
    assert_eq!(plain, expected, "{text}");
}

fn lacks(text: &str, label: &str) {
    let (_, completion) = at_cursor(text);
    assert!(completion.items.iter().all(|item| item.label != label), "{text} offers {label}");
}

#[test]
fn the_columns_of_elements_are_those_that_their_alias_names() {
    let from = "FROM orders o CROSS JOIN UNNEST(o.tags)";
    check(&format!("SELECT o.id, t.| {from} WITH ORDINALITY AS t (tag, place)"), &["tag", "place"]);
    check(&format!("SELECT o.id {from} t (tag) WHERE t.|"), &["tag"]);
    check("SELECT EXPL|", &["EXPLODE"]);
}

#[test]
fn words_of_the_grammar_come_by_position() {
    for (text, expected) in [
        ("|", ["SELECT", "WITH"].as_slice()),
        ("sel|", &["SELECT"]),
        ("SELECT 1; cr|", &["CREATE STREAM", "CREATE TABLE"]),
        ("SELECT amount |", &["FROM", "AS"]),
        ("SELECT amount fr|", &["FROM"]),
        ("SELECT * FROM orders |", &["WHERE", "JOIN", "LEFT JOIN", "GROUP BY", "WINDOW"]),
        ("SELECT * FROM orders wi|", &["WINDOW", "WITH ("]),
        ("SELECT * FROM orders GROUP |", &["BY"]),
        ("SELECT * FROM orders WHERE amount > 1 |", &["AND", "OR"]),
        ("SELECT * FROM orders WHERE amount IS |", &["NULL", "NOT NULL"]),
        ("SELECT * FROM orders LEFT |", &["JOIN", "OUTER JOIN"]),
        ("SELECT * FROM orders o JOIN payments p |", &["ON", "WITHIN"]),
        ("SELECT * FROM orders WINDOW |", &["TUMBLING", "HOPPING", "SLIDING", "SESSION", "CUMULATING"]),
        ("SELECT count(*) FROM orders GROUP BY status EMIT |", &["CHANGES", "FINAL", "ON WINDOW CLOSE"]),
        ("SELECT count(*) FROM orders GROUP BY status |", &["HAVING", "WINDOW", "EMIT CHANGES"]),
        ("SELECT * FROM orders ORDER BY amount |", &["DESC", "ASC"]),
        ("SELECT lag(amount) OVER (|", &["PARTITION BY", "ORDER BY"]),
        ("SELECT lag(amount) OVER (PARTITION BY customer_id |", &["ORDER BY"]),
        ("SELECT lag(amount) OVER (PARTITION BY customer_id ORDER |", &["BY"]),
        ("CREATE |", &["STREAM", "TABLE", "VIEW"]),
        ("CREATE STREAM big |", &["AS SELECT"]),
        ("CREATE STREAM big AS |", &["SELECT", "WITH"]),
        ("SHOW |", &["STREAMS"]),
        ("INSERT |", &["INTO"]),
        ("DROP |", &["STREAM", "TABLE"]),
        ("SELECT a FROM t UNION |", &["ALL", "SELECT"]),
        ("EXPLAIN |", &["ANALYZE", "SELECT"]),
    ] {
        check(text, expected);
    }
}

#[test]
fn relations_are_what_the_buffer_defines_then_topics() {
    check("SELECT * FROM |", &["big", "orders", "payments"]);
    check("SELECT * FROM pay|", &["payments"]);
    check("SELECT * FROM orders o JOIN |", &["big", "orders", "payments"]);
    check("SELECT * FROM orders, |", &["big", "orders"]);
    lacks("SELECT * FROM |", "out");
    check("SELECT * FROM orders INTO |", &["out"]);
    check("INSERT INTO |", &["out"]);
    check("WITH large AS (SELECT * FROM orders) SELECT * FROM |", &["large", "big"]);
    check("SELECT * FROM (|", &["SELECT", "WITH"]);
    check("DESCRIBE |", &["big"]);
    check("DROP STREAM |", &["big"]);
}

#[test]
fn a_topic_is_written_as_the_parser_reads_it() {
    taken("SELECT * FROM qa|", "qa.high-value.v1", "SELECT * FROM qa.high-value.v1|");
    taken("SELECT * FROM qa.hi|", "qa.high-value.v1", "SELECT * FROM qa.high-value.v1|");
    taken("SELECT * FROM qa.high-va|", "qa.high-value.v1", "SELECT * FROM qa.high-value.v1|");
    taken("SELECT * FROM 20|", "2024-orders", "SELECT * FROM \"2024-orders\"|");
}

#[test]
fn columns_are_those_of_what_stands_in_from_before_and_behind_the_cursor() {
    for (text, expected) in [
        ("SELECT | FROM orders", ["order_id", "customer_id", "amount"].as_slice()),
        ("SELECT am| FROM orders", &["amount"]),
        ("SELECT order_id, cu| FROM orders", &["customer_id", "customer"]),
        ("SELECT * FROM orders WHERE qu|", &["quantity"]),
        ("SELECT * FROM orders WHERE amount > 1 AND sta|", &["status"]),
        ("SELECT * FROM orders GROUP BY cu|", &["customer_id", "customer"]),
        ("SELECT o.| FROM orders o", &["order_id", "customer_id"]),
        ("SELECT o.am| FROM orders AS o JOIN payments p ON o.order_id = p.order_id", &["amount"]),
        ("SELECT * FROM orders o JOIN payments p ON o.order_id = p.|", &["payment_id", "order_id", "method"]),
        ("SELECT orders.am| FROM orders", &["amount"]),
        ("SELECT customer.| FROM orders", &["id", "address"]),
        ("SELECT customer.address.| FROM orders", &["city", "zip"]),
        ("SELECT o.customer.address.ci| FROM orders o", &["city"]),
        ("SELECT items[1].| FROM orders", &["sku"]),
        ("SELECT met| FROM (SELECT order_id, method FROM payments) p", &["method"]),
        ("WITH paid AS (SELECT order_id AS oid, method FROM payments) SELECT oi| FROM paid", &["oid"]),
        ("CREATE STREAM s AS SELECT amount AS spent FROM orders; SELECT sp| FROM s", &["spent"]),
        ("SELECT * FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE) WHERE am|", &["amount"]),
        ("SELECT sum(amo|) FROM orders", &["amount"]),
        ("SELECT * FROM orders WHERE EXISTS (SELECT 1 FROM payments WHERE met|)", &["method"]),
        ("SELECT method FROM payments UNION ALL SELECT sta| FROM orders", &["status"]),
        ("SELECT customer_id, sum(amount) AS spent FROM orders GROUP BY customer_id HAVING spe|", &["spent"]),
        ("SELECT window_s| FROM orders WINDOW TUMBLING(10s) GROUP BY customer_id", &["window_start"]),
        ("SELECT window_t| FROM orders WINDOW TUMBLING(10s) GROUP BY customer_id", &["window_time"]),
        ("SELECT lag(amount) OVER (PARTITION BY cu|) FROM orders", &["customer_id"]),
        ("SELECT _par| FROM orders", &["_partition"]),
    ] {
        check(text, expected);
    }
    lacks("SELECT amount FROM payments WHERE | ", "quantity");
}

#[test]
fn a_windowed_grouping_is_written_with_a_few_letters() {
    let (mut text, mut caret) = (String::new(), 0);
    for (typed, label) in [
        ("SEL", "SELECT"),
        (" cu", "customer_id"),
        (", SU", "SUM"),
        ("am", "amount"),
        ("> AS spent FR", "FROM"),
        (" or", "orders"),
        (" WI", "WINDOW"),
        (" TU", "TUMBLING"),
        ("> GR", "GROUP BY"),
        (" ", "customer_id"),
        (" EM", "EMIT CHANGES"),
    ] {
        // `>` goes to the end: out of the brackets of a call.
        let typed = typed.strip_prefix('>').inspect(|_| caret = text.len()).unwrap_or(typed);
        text.insert_str(caret, typed);
        caret += typed.len();
        let completion = complete(&text, caret, &catalog());
        let first = completion.items.first().unwrap_or_else(|| panic!("nothing behind {text}"));
        assert_eq!(first.label, label, "{text}");
        text.replace_range(completion.replace.clone(), &first.text);
        caret = completion.replace.start + first.caret;
    }
    let whole =
        "SELECT customer_id, SUM(amount) AS spent FROM orders WINDOW TUMBLING(10s) GROUP BY customer_id EMIT CHANGES";
    assert_eq!(text, whole);
}

#[test]
fn what_is_likely_to_be_meant_comes_whole() {
    check("SELECT * FROM orders o JOIN payments p ON |", &["o.order_id = p.order_id"]);
    check("SELECT status, count(*) FROM orders GROUP BY |", &["status"]);
    check("SELECT |", &["* FROM orders", "* FROM payments"]);
    check("SELECT pay|", &["payment_id"]);
    lacks("SELECT ord|", "* FROM orders");
    check("SELECT SUM(am|", &["amount"]);
    taken("SELECT |", "* FROM orders", "SELECT * FROM orders|");
}

#[test]
fn a_column_of_two_relations_comes_with_its_relation() {
    taken(
        "SELECT order| FROM orders o JOIN payments p ON o.order_id = p.order_id",
        "o.order_id",
        "SELECT o.order_id| FROM orders o JOIN payments p ON o.order_id = p.order_id",
    );
}

#[test]
fn functions_come_with_their_signature_and_the_cursor_in_their_brackets() {
    check("SELECT su| FROM orders", &["SUM"]);
    check("SELECT cou| FROM orders", &["COUNT"]);
    taken("SELECT SU| FROM orders", "SUM", "SELECT SUM(|) FROM orders");
    taken("SELECT su| FROM orders", "SUM", "SELECT sum(|) FROM orders");
    taken("SELECT no| FROM orders", "NOW", "SELECT now()| FROM orders");
    lacks("SELECT * FROM orders WHERE su|", "SUM");
    lacks("SELECT * FROM orders WHERE lea|", "LEAD");
    check("SELECT * FROM orders WHERE upp|", &["UPPER"]);
    let (_, completion) = at_cursor("SELECT date_t| FROM orders");
    let item = &completion.items[0];
    assert!(item.label == "DATE_TRUNC" && item.detail.contains("date_trunc(") && !item.help.is_empty(), "{item:?}");
}

#[test]
fn lengths_of_time_stand_where_windows_and_joins_want_them() {
    check("SELECT 1 FROM orders WINDOW TUMBLING(|", &["10s", "1m"]);
    check("SELECT 1 FROM orders WINDOW HOPPING(10m, |", &["10s", "1m"]);
    check("SELECT * FROM orders o JOIN payments p WITHIN |", &["10s", "1m"]);
    check("SELECT 1 FROM orders WHERE ts > now() - INTERVAL |", &["'1' SECOND"]);
    taken("SELECT 1 FROM orders WINDOW tum|", "TUMBLING", "SELECT 1 FROM orders WINDOW tumbling(|10s)");
    let (_, completion) = at_cursor("SELECT 1 FROM orders WINDOW TUMBLING(|");
    assert!(completion.items.iter().any(|item| item.label == "ts"), "the time may be named");
}

#[test]
fn options_come_with_their_values() {
    taken(
        "SELECT * FROM orders WITH (|",
        "late.data.strategy",
        "SELECT * FROM orders WITH ('late.data.strategy' = '|'",
    );
    taken(
        "SELECT * FROM orders WITH ('late|",
        "late.data.strategy",
        "SELECT * FROM orders WITH ('late.data.strategy' = '|'",
    );
    taken(
        "SELECT * FROM orders WITH ('late|'",
        "late.data.strategy",
        "SELECT * FROM orders WITH ('late.data.strategy|'",
    );
    check(
        "SELECT * FROM orders WITH ('late.data.strategy' = '|')",
        &["drop", "dead_letter", "include_in_next_window", "update_previous"],
    );
    check("SELECT * FROM orders WITH ('watermark.idle_timeout' = '|')", &["10s", "1m", "5m"]);
    check("SELECT * FROM orders WITH ('event.time.field' = '|')", &["ts"]);
    taken("SELECT * FROM orders WITH ('orders.sta|", "orders.start", "SELECT * FROM orders WITH ('orders.start' = '|'");
    check("CREATE SOURCE s (a BIGINT) WITH ('connector' = '|')", &["kafka", "file"]);
    check("CREATE SOURCE s (a BIGINT) WITH ('connector' = 'generator', 'kind' = '|')", &["fields", "nexmark"]);
    check("CREATE SINK s (a BIGINT) WITH ('mode' = '|')", &["append", "upsert", "debezium"]);
    check("CREATE SOURCE s (a BIGINT) WITH ('topic' = '|')", &["orders"]);
    lacks("SELECT * FROM orders WITH ('state.ttl' = '1h', |", "state.ttl");
}

#[test]
fn values_that_a_column_held_stand_where_it_is_compared() {
    check("SELECT * FROM orders WHERE status = '|'", &["paid", "new", "it's"]);
    taken("SELECT * FROM orders WHERE status = '|'", "paid", "SELECT * FROM orders WHERE status = 'paid|'");
    taken("SELECT * FROM orders WHERE status = 'p|", "paid", "SELECT * FROM orders WHERE status = 'paid'|");
    taken("SELECT * FROM orders WHERE status = |", "'paid'", "SELECT * FROM orders WHERE status = 'paid'|");
    taken(
        "SELECT * FROM orders WHERE status IN ('new', '|')",
        "it's",
        "SELECT * FROM orders WHERE status IN ('new', 'it''s|')",
    );
}

#[test]
fn types_stand_behind_casts_and_names_of_declared_columns() {
    check("SELECT CAST(amount AS |", &["BIGINT"]);
    check("SELECT CAST(amount AS big| FROM orders", &["BIGINT"]);
    check("SELECT amount::dec| FROM orders", &["DECIMAL(18,2)"]);
    check("CREATE TABLE t (id var|", &["VARCHAR"]);
    check("CREATE TABLE t (id VARCHAR |", &["PRIMARY KEY", "NOT NULL"]);
}

#[test]
fn nothing_is_offered_in_a_remark_or_for_a_new_name() {
    for text in ["-- sel|", "/* sel| */ SELECT 1", "SELECT amount AS |", "SELECT 'sel|'", "SELECT 1 LIMIT |"] {
        let (_, completion) = at_cursor(text);
        assert_eq!(completion.items, [], "{text}");
    }
}

#[test]
fn a_condition_knows_the_fields_of_the_record_and_functions_of_one_row() {
    let fields = catalog().topics[0].columns.clone();
    let Columns::Known(sample) = fields else { panic!("the topic was looked at") };
    let labels = |text: &str| {
        let offset = text.find('|').unwrap();
        let found = complete_predicate(&text.replacen('|', "", 1), offset, &sample.fields, &catalog());
        found.items.into_iter().map(|item| item.label).collect::<Vec<_>>()
    };
    assert_eq!(labels("am|")[0], "amount");
    assert_eq!(labels("amount > 1 |")[0], "AND");
    assert_eq!(labels("amount > 1 AND sta|")[0], "status");
    assert_eq!(labels("status = '|'"), ["paid", "new", "it's"]);
    assert_eq!(labels("customer.ad|")[0], "address");
    assert_eq!(labels("_k|")[0], "_key");
    assert_eq!(labels("upp|")[0], "UPPER");
    assert!(!labels("su|").contains(&"SUM".to_owned()));
}

#[test]
fn a_completion_is_total_on_any_prefix_of_any_text() {
    let text = "WITH a AS (SELECT o.x, 'é''', count(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) o) \
                SELECT * FROM a WHERE b[1].c IN ('x', \"y\") WINDOW HOPPING(ts, 10m, 1m) WITH ('k' = ${V:-1}); -- end\nDROP";
    let catalog = catalog();
    for (end, _) in text.char_indices() {
        for cursor in [0, end / 2, end] {
            complete(&text[..end], cursor, &catalog);
            complete(text, end, &catalog);
        }
    }
}

#[test]
fn a_table_may_say_that_it_is_looked_into_and_a_sink_and_a_whole_query_may_not() {
    let labels =
        |text: &str| -> Vec<String> { at_cursor(text).1.items.iter().map(|item| item.label.clone()).collect() };
    let table = labels("CREATE SOURCE r (a INT) WITH ('connector' = 'file', '|')");
    let query = labels("SELECT * FROM orders o JOIN payments p ON o.order_id = p.order_id WITH ('|')");
    let sink = labels("CREATE SINK s WITH ('connector' = 'file', '|')");
    for key in ["lookup.cache", "lookup.full-cache.periodic-reload.interval"] {
        assert!(table.iter().any(|label| label == key), "{table:?}");
        assert!(query.iter().any(|label| *label == format!("payments.{key}")), "{query:?}");
        assert!(!query.iter().chain(&sink).any(|label| label == key), "{query:?} {sink:?}");
    }
    check("CREATE SOURCE r (a INT) WITH ('connector' = 'file', 'lookup.cache' = '|')", &["full"]);
    check("SELECT * FROM orders JOIN payments WITH ('payments.lookup.cache' = '|')", &["full"]);
}
