//! Statements and the plans they become, against sources that only have columns.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;

use super::picture;
use super::session::Session;
use super::stream::{NodeKind, StreamPlan};
use crate::config::variables::Variables;
use crate::connectors::contract::{
    Columns, Connector, Context, Parameter, Position, Sink, SinkRequest, Source, SourceRequest, Split, SplitReader,
};
use crate::connectors::options::Options;
use crate::connectors::registry::Connectors;
use crate::core::fault::{Blame, Fault};
use crate::sql::parse::parse;
use crate::sql::parse::statement::StatementKind;

/// Columns without rows, under the name of a connector.
struct ColumnsOnly {
    name: &'static str,
    is_bounded: bool,
}

struct Empty(SchemaRef, bool);

#[async_trait]
impl Connector for ColumnsOnly {
    fn name(&self) -> &'static str {
        self.name
    }
    fn help(&self) -> &'static str {
        ""
    }
    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }
    fn uri(&self, _: &str) -> Result<Options, Fault> {
        Ok(Options::default())
    }
    fn check(&self, _: &SinkRequest, _: &Context) -> Result<(), Fault> {
        Ok(())
    }
    async fn source(&self, request: SourceRequest, _: &Context) -> Result<Arc<dyn Source>, Fault> {
        let time = DataType::Timestamp(TimeUnit::Millisecond, None);
        let schema = request.schema.unwrap_or_else(|| {
            Arc::new(Schema::new(vec![
                Field::new("order_id", DataType::Utf8, true),
                Field::new("customer_id", DataType::Utf8, true),
                Field::new("amount", DataType::Decimal128(18, 2), true),
                Field::new("quantity", DataType::Int64, true),
                Field::new("ts", time, true),
            ]))
        });
        Ok(Arc::new(Empty(schema, self.is_bounded)))
    }
    async fn sink(&self, _: SinkRequest, _: &Context) -> Result<Box<dyn Sink>, Fault> {
        Err(Fault::new(Blame::Program, "nothing is written here"))
    }
}

#[async_trait]
impl Source for Empty {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0)
    }
    fn system_columns(&self) -> &'static [&'static str] {
        &[]
    }
    fn is_bounded(&self) -> bool {
        self.1
    }
    fn description(&self) -> String {
        String::new()
    }
    async fn splits(&self) -> Result<Vec<Split>, Fault> {
        Ok(Vec::new())
    }
    async fn read(&self, _: &Split, _: Option<&Position>, _: &Columns) -> Result<Box<dyn SplitReader>, Fault> {
        Err(Fault::new(Blame::Program, "nothing is read here"))
    }
}

/// The tree of the last statement of a text, or what is wrong with it.
pub(super) fn planned(text: &str) -> Result<String, Fault> {
    plan_of(text).map(|plan| picture::tree(&plan))
}

/// The plan of the last statement of a text, or what is wrong with it.
pub(super) fn plan_of(text: &str) -> Result<StreamPlan, Fault> {
    let connectors = Connectors::default()
        .with(Arc::new(ColumnsOnly { name: "kafka", is_bounded: false }))
        .with(Arc::new(ColumnsOnly { name: "file", is_bounded: true }));
    let context = Context { kafka: None, absent: None, folder: ".".into() };
    let mut session = Session::new(connectors, context, Variables::default(), ("kafka".to_owned(), Options::default()));
    let script = parse(text, "test");
    if let Some(error) = script.errors.first() {
        return Err(error.fault.clone());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut last = None;
    for statement in &script.statements {
        session.define(&statement.kind)?;
        let query = match &statement.kind {
            StatementKind::Query(query) => query,
            StatementKind::CreateStream(made) | StatementKind::CreateTable(made) => &made.query,
            _ => continue,
        };
        last = Some(runtime.block_on(session.plan("job", query, None, false))?);
    }
    Ok(last.expect("a text has a query").plan)
}

fn check(text: &str, expected: &str) {
    let drawn = planned(text).unwrap_or_else(|fault| panic!("{text}\n{fault}"));
    let plain =
        |text: &str| text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(plain(&drawn), plain(expected), "\n{text}\n{drawn}");
}

fn refuse(text: &str, expected: &str) {
    let fault = planned(text).expect_err(text);
    assert!(fault.to_string().contains(expected), "{text}\n{fault}");
}

/// The columns that tell the rows of the last statement of a text apart, and what it lacks for that.
fn key_of(text: &str) -> (String, String) {
    match plan_of(text).map(|plan| plan.nodes.into_iter().next_back().map(|node| node.kind)) {
        Ok(Some(NodeKind::Sink(sink))) => {
            let name = |column: &usize| sink.request.schema.field(*column).name().clone();
            (sink.request.key.iter().map(name).collect::<Vec<_>>().join(" "), sink.request.key_lacks.join(" "))
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_row_of_two_tables_is_told_by_one_key_where_the_other_table_has_one_row_for_it() {
    let tables = "CREATE TABLE a (k VARCHAR PRIMARY KEY, c VARCHAR, x BIGINT) WITH ('topic' = 'a'); \
                  CREATE TABLE b (k VARCHAR PRIMARY KEY, y BIGINT) WITH ('topic' = 'b');";
    for (query, key, lacks) in [
        ("SELECT a.k, x, y FROM a JOIN b ON a.k = b.k", "k", ""),
        ("SELECT b.k, x, y FROM a JOIN b ON a.k = b.k WHERE x + y > 1", "k", ""),
        ("SELECT k, x, y FROM a JOIN b USING (k)", "k", ""),
        ("SELECT a.k, x, y FROM a LEFT JOIN b ON a.k = b.k", "k", ""),
        ("SELECT b.k, x, y FROM a LEFT JOIN b ON a.k = b.k", "", "k"),
        ("SELECT b.k, x, y FROM a RIGHT JOIN b ON a.k = b.k", "k", ""),
        ("SELECT k, x, y FROM a FULL JOIN b USING (k)", "k", ""),
        ("SELECT COALESCE(b.k, a.k) AS id, x, y FROM a FULL JOIN b ON a.k = b.k", "id", ""),
        ("SELECT COALESCE(a.k, b.k) AS id, x, y FROM a FULL JOIN b ON a.k = b.k AND x > y", "", "k k"),
        ("SELECT a.k AS l, b.k AS r, x FROM a FULL JOIN b ON a.k = b.k", "l r", ""),
        // A row of b meets many of a, each of which is known by its own key.
        ("SELECT a.k, x, y FROM a JOIN b ON a.c = b.k", "k", ""),
        ("SELECT b.k, x, y FROM a JOIN b ON a.c = b.k", "", "k"),
        ("SELECT a.k AS l, b.k AS r FROM a JOIN b ON a.x = b.y", "l r", ""),
    ] {
        assert_eq!(key_of(&format!("{tables} {query}")), (key.to_owned(), lacks.to_owned()), "{query}");
    }
}

#[test]
fn a_windows_start_or_end_is_enough_for_a_key_and_what_lacks_is_named() {
    let sink = |select: &str, window: &str| {
        key_of(&format!("SELECT {select}, COUNT(*) AS n FROM orders {window} GROUP BY customer_id EMIT CHANGES"))
    };
    for (select, window, key, lacks) in [
        ("window_start, customer_id", "WINDOW TUMBLING(1m)", "customer_id window_start", ""),
        ("customer_id, window_end", "WINDOW TUMBLING(1m)", "customer_id window_end", ""),
        ("customer_id, window_start, window_end", "WINDOW TUMBLING(1m)", "customer_id window_start window_end", ""),
        ("customer_id", "WINDOW TUMBLING(1m)", "", "window_start"),
        ("window_start", "WINDOW TUMBLING(1m)", "", "customer_id"),
        ("customer_id AS who, window_start AS at", "WINDOW HOPPING(2m, 1m)", "who at", ""),
        ("customer_id, window_start", "WINDOW CUMULATING(1m, 10m)", "", "window_end"),
        ("customer_id, window_end", "WINDOW CUMULATING(1m, 10m)", "customer_id window_end", ""),
        ("customer_id, window_start", "WINDOW SESSION(1m)", "", "window_end"),
        ("customer_id", "WINDOW SESSION(1m)", "", "window_start window_end"),
        ("customer_id", "", "customer_id", ""),
        ("1 AS one", "", "", "customer_id"),
    ] {
        assert_eq!(sink(select, window), (key.to_owned(), lacks.to_owned()), "{select} {window}");
    }
}

#[test]
fn windows_are_joined_by_a_start_only_where_it_tells_them_apart() {
    let joined = |left: &str, right: &str, on: &str| {
        planned(&format!(
            "SELECT a.order_id FROM TABLE({left}) a JOIN TABLE({right}) b ON a.{on} = b.{on} AND a.order_id = b.order_id"
        ))
    };
    let tumble = "TUMBLE(orders, ts, INTERVAL '1' MINUTE)";
    let wider = "TUMBLE(payments, ts, INTERVAL '5' MINUTE)";
    let cumulate = "CUMULATE(orders, ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)";
    for (left, right, on, is_bounded) in [
        (tumble, "TUMBLE(payments, ts, INTERVAL '1' MINUTE)", "window_start", true),
        (tumble, wider, "window_start", false),
        (tumble, wider, "window_end", true),
        (cumulate, "CUMULATE(payments, ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)", "window_start", false),
        (cumulate, "CUMULATE(payments, ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)", "window_end", true),
    ] {
        match joined(left, right, on) {
            Ok(drawn) => assert!(is_bounded && drawn.contains("WindowJoin"), "{left} {right} {on}\n{drawn}"),
            Err(fault) => assert!(!is_bounded && fault.next.contains("bound it"), "{left} {right} {on}\n{fault}"),
        }
    }
}

#[test]
fn a_filter_and_a_projection_are_one_step() {
    check(
        "SELECT order_id, amount * 2 AS twice FROM orders WHERE amount > 100.0",
        "
Sink: write screen
└─ Map: filter amount > 100.00, project order_id, amount * 2 AS twice
   └─ Source: read orders",
    );
}

#[test]
fn a_window_is_one_operator_with_its_grouping_in_every_spelling() {
    for text in [
        "SELECT customer_id, SUM(amount) AS total FROM orders WINDOW TUMBLING(10s) GROUP BY customer_id",
        "SELECT customer_id, SUM(amount) AS total FROM orders GROUP BY customer_id, TUMBLE(INTERVAL '10' SECOND)",
    ] {
        let drawn = planned(text).unwrap_or_else(|fault| panic!("{text}\n{fault}"));
        assert!(drawn.contains("WindowAggregate: tumbling 10 s group by"), "{text}\n{drawn}");
        assert!(drawn.contains("given once, when it is final"), "{text}\n{drawn}");
    }
}

#[test]
fn emit_changes_makes_a_changelog_of_a_window() {
    let drawn =
        planned("SELECT customer_id, SUM(amount) FROM orders WINDOW TUMBLING(10s) GROUP BY customer_id EMIT CHANGES")
            .unwrap();
    assert!(drawn.starts_with("Sink: write screen, changes"), "{drawn}");
    assert!(drawn.contains("each change is given"), "{drawn}");
}

#[test]
fn a_filter_on_the_window_stands_above_it() {
    let drawn = planned(
        "SELECT * FROM (SELECT customer_id, window_start, COUNT(*) AS n FROM orders WINDOW TUMBLING(10s) \
         GROUP BY customer_id) WHERE window_start > TIMESTAMP '2026-01-01 00:00:00' AND n > 1 AND customer_id <> 'x'",
    )
    .unwrap();
    let aggregate = drawn.find("WindowAggregate").unwrap();
    assert!(drawn.find("window_start").unwrap() < aggregate, "{drawn}");
    assert!(drawn[aggregate..].contains("filter customer_id"), "{drawn}");
}

#[test]
fn a_grouping_over_a_windows_results_closes_with_the_window() {
    let drawn = planned(
        "SELECT window_start, window_end, MAX(n) AS top FROM (SELECT customer_id, window_start, window_end, COUNT(*) AS n \
         FROM orders WINDOW HOPPING(10s, 2s) GROUP BY customer_id) GROUP BY window_start, window_end",
    )
    .unwrap();
    assert!(drawn.contains("WindowAggregate: window group by"), "{drawn}");
    assert!(!drawn.contains("changes"), "{drawn}");
}

#[test]
fn a_join_of_streams_needs_a_bound_and_says_how() {
    refuse("SELECT a.order_id FROM orders a JOIN payments b ON a.order_id = b.order_id", "JOIN … WITHIN 5m");
    for text in [
        "SELECT a.order_id FROM orders a JOIN payments b WITHIN 5m ON a.order_id = b.order_id",
        "SELECT a.order_id FROM orders a JOIN payments b ON a.order_id = b.order_id \
         AND b.ts BETWEEN a.ts - INTERVAL '5' MINUTE AND a.ts + INTERVAL '5' MINUTE",
    ] {
        let drawn = planned(text).unwrap_or_else(|fault| panic!("{text}\n{fault}"));
        assert!(drawn.contains("IntervalJoin"), "{drawn}");
        assert!(drawn.contains("5 min before and 5 min after"), "{drawn}");
    }
}

#[test]
fn a_table_is_what_a_stream_is_joined_with() {
    let table = "CREATE TABLE totals AS SELECT customer_id, SUM(amount) AS total FROM orders GROUP BY customer_id;";
    let drawn = planned(&format!(
        "{table} SELECT p.order_id, t.total FROM payments p LEFT JOIN totals t ON p.customer_id = t.customer_id"
    ))
    .unwrap();
    assert!(drawn.contains("TableJoin: left join"), "{drawn}");
    let declared = "CREATE TABLE c (id VARCHAR PRIMARY KEY, tier VARCHAR) WITH ('topic' = 'customers');";
    let drawn = planned(&format!(
        "{declared} SELECT o.order_id, c.tier FROM orders o JOIN c FOR SYSTEM_TIME AS OF o._event_time ON o.customer_id = c.id"
    ))
    .unwrap();
    assert!(drawn.contains("TemporalJoin"), "{drawn}");
}

#[test]
fn the_first_rows_of_partitions_are_recognised() {
    let ranked = |order: &str, filter: &str| {
        planned(&format!(
            "SELECT order_id, customer_id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY {order}) AS rn \
             FROM orders) WHERE {filter}"
        ))
        .unwrap()
    };
    let top = ranked("amount DESC", "rn <= 3");
    assert!(top.contains("TopN: first 3 rows of each customer_id"), "{top}");
    let last = planned(
        "SELECT order_id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY _event_time DESC) AS rn \
         FROM orders) WHERE rn = 1",
    )
    .unwrap();
    assert!(last.contains("Deduplicate: last row of each customer_id"), "{last}");
}

#[test]
fn system_columns_are_there_by_name_and_not_in_star() {
    let drawn = planned("SELECT *, _key FROM orders WHERE _partition = 0").unwrap();
    assert!(!drawn.contains("_partition,"), "{drawn}");
    assert!(drawn.contains("_key"), "{drawn}");
}

#[test]
fn a_wrong_column_is_named_with_the_nearest_and_its_place() {
    let fault = planned("SELECT order_id,\n       amont FROM orders").unwrap_err();
    assert_eq!(fault.what, "there is no column `amont`");
    assert_eq!(fault.next, "did you mean `amount`?");
    let place = fault.place.unwrap();
    assert_eq!((place.line, place.column), (2, 8));
}

#[test]
fn names_are_found_whatever_their_case() {
    let drawn = planned("SELECT ORDER_ID, Amount FROM orders WHERE QUANTITY > 1").unwrap();
    assert!(drawn.contains("quantity >"), "{drawn}");
}

#[test]
fn sorting_needs_an_end() {
    refuse("SELECT * FROM orders ORDER BY amount", "ORDER BY needs rows that end");
    let drawn = planned("SELECT * FROM 'file:///tmp/x.csv' ORDER BY amount").unwrap();
    assert!(drawn.contains("Sort: order by amount"), "{drawn}");
    let drawn = planned("SELECT * FROM orders ORDER BY amount LIMIT 5").unwrap();
    assert!(drawn.contains("TopN: first 5 by amount"), "{drawn}");
}

#[test]
fn subqueries_become_joins() {
    let drawn =
        planned("SELECT order_id FROM orders WHERE customer_id IN (SELECT customer_id FROM 'file:///tmp/vip.csv')")
            .unwrap();
    assert!(drawn.contains("TableJoin: semi join"), "{drawn}");
    let drawn = planned("SELECT order_id, (SELECT AVG(amount) FROM payments) AS mean FROM orders").unwrap();
    assert!(drawn.contains("TableJoin: left join"), "{drawn}");
}

#[test]
fn a_watermark_in_a_declaration_sets_time_and_delay() {
    let text = "CREATE STREAM o (id VARCHAR, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '5' SECOND) \
                WITH ('topic' = 'orders'); SELECT COUNT(*) FROM o WINDOW TUMBLING(1m)";
    let drawn = planned(text).unwrap();
    assert!(drawn.contains("tumbling 1 min"), "{drawn}");
}

#[test]
fn computed_columns_and_metadata_are_columns_of_a_declaration() {
    let text = "CREATE STREAM o (price DECIMAL(10,2), quantity BIGINT, total AS price * quantity, \
                at TIMESTAMP(3) METADATA FROM 'timestamp') WITH ('topic' = 'orders');\n\
                SELECT total, at FROM o WHERE total > 5";
    match planned(text) {
        Ok(drawn) => assert!(drawn.contains("price * quantity"), "{drawn}"),
        Err(fault) => panic!("{fault}"),
    }
}

#[test]
fn an_option_of_nothing_is_refused_with_the_nearest() {
    refuse("SELECT * FROM orders WITH ('late.data.stategy' = 'drop')", "late.data.strategy");
    assert!(planned("SELECT * FROM orders WITH ('orders.topic' = 'o', 'state.ttl' = '1h')").is_ok());
}

#[test]
fn a_bound_of_event_times_holds_for_input_that_ends_and_one_of_other_times_does_not() {
    let joined = |condition: &str| {
        planned(&format!(
            "SELECT a.order_id FROM 'file:///a.csv' a JOIN 'file:///b.csv' b ON a.order_id = b.order_id AND {condition}"
        ))
        .unwrap_or_else(|fault| panic!("{fault}"))
    };
    let within = joined("b._timestamp BETWEEN a._timestamp - INTERVAL '5' SECOND AND a._timestamp");
    assert!(within.contains("5 s before and 0 s after"), "{within}");
    let whole = joined("b.ts BETWEEN a.ts - INTERVAL '5' SECOND AND a.ts");
    assert!(whole.contains("both sides until they end"), "{whole}");
}
