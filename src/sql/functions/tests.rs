//! Tables of SQL expressions and what they give, run by stock DataFusion with the functions, planners and rewrites of
//! this engine.

#![allow(clippy::unwrap_used)]

mod aggregates;
mod listed;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{ArrayRef, BinaryBuilder, Int64Array, MapBuilder, RecordBatch, StringBuilder};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_sql::parser::Statement;
use sqlparser::ast as sql;

use super::division::ZeroDivisor;
use super::registry::Functions;
use super::rewrite::rewrite;
use crate::sql::parse::parse;
use crate::sql::parse::statement::StatementKind;

fn context(functions: &Functions) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(1);
    let parser = &mut config.options_mut().sql_parser;
    parser.parse_float_as_decimal = true;
    parser.map_string_types_to_utf8view = false;
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_default_features()
        .with_scalar_functions(functions.scalars().values().cloned().collect())
        .with_aggregate_functions(functions.aggregates().values().cloned().collect())
        .with_window_functions(functions.windows().values().cloned().collect())
        .with_expr_planners(functions.planners().to_vec())
        .build();
    SessionContext::new_with_state(state)
}

/// The rows of a query, columns separated by `|`, rows by a newline.
async fn rows(context: &SessionContext, query: &str) -> Result<String, String> {
    let state = context.state();
    let script = parse(query, "test.sql");
    if let Some(error) = script.errors.first() {
        return Err(format!("{:?}", error.fault));
    }
    let StatementKind::Query(query) = script.statements[0].kind.clone() else { panic!("{query} is no query") };
    let mut statement = sql::Statement::Query(query.query);
    rewrite(&mut statement);
    let statement = Statement::Statement(Box::new(statement));
    let plan = state.statement_to_plan(statement).await.map_err(said)?;
    let batches = context.execute_logical_plan(plan).await.map_err(said)?.collect().await.map_err(said)?;
    let options = FormatOptions::default().with_null("NULL");
    let mut lines = Vec::new();
    for batch in &batches {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            lines.push(columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"));
        }
    }
    Ok(lines.join("\n"))
}

fn said(error: datafusion::error::DataFusionError) -> String {
    error.to_string()
}

/// Evaluates each expression and compares.
async fn check(table: &[(&str, &str)]) {
    let context = context(&Functions::builtin());
    let mut wrong = Vec::new();
    for (expression, expected) in table {
        let found = rows(&context, &format!("SELECT {expression}")).await;
        if found.as_deref() != Ok(*expected) {
            wrong.push(format!("{expression}: {expected} expected, {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each expression is refused, at planning or at its row, with these words.
async fn refuse(table: &[(&str, &str)]) {
    let context = context(&Functions::builtin());
    let mut wrong = Vec::new();
    for (expression, words) in table {
        match rows(&context, &format!("SELECT {expression}")).await {
            Err(message) if message.contains(words) => {}
            other => wrong.push(format!("{expression}: `{words}` expected, {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn json_is_read_by_path_and_keeps_its_digits() {
    check(&[
        (r#"json_value('{"a":{"b":[1.10, 2]}}', '$.a.b[0]')"#, "1.10"),
        (r#"json_value('{"n":12345678901234567890.123456789}', '$.n')"#, "12345678901234567890.123456789"),
        (r#"CAST(json_value('{"n":0.10}', '$.n') AS DECIMAL(10,2)) + 0.20"#, "0.30"),
        (r#"json_value('{"a":"x\"y"}', '$.a')"#, "x\"y"),
        (r#"json_value('{"a":"\u00e9\ud83d\ude00"}', '$.a')"#, "é😀"),
        (r#"json_value('{"a":null}', '$.a')"#, "NULL"),
        (r#"json_value('{"a":[1]}', '$.a')"#, "NULL"),
        (r#"json_value('{"a":true}', '$.a')"#, "true"),
        ("json_value('no json', '$.a')", "NULL"),
        ("json_value(NULL, '$.a')", "NULL"),
        (r#"json_query('{"a":{"b": 1}}', '$.a')"#, r#"{"b": 1}"#),
        (r#"json_query('{"a":1}', '$.a')"#, "NULL"),
        (r#"json_query('[{"p":1.0},{"p":2}]', '$[*].p')"#, "[1.0,2]"),
        (r#"json_extract('{"a":"x"}', '$.a')"#, "x"),
        (r#"json_extract('{"a":[1,2]}', '$.a')"#, "[1,2]"),
        (r#"get_json_object('{"a":"x"}', '$.a')"#, "x"),
        (r#"json_exists('{"a":null}', '$.a')"#, "true"),
        (r#"json_exists('{"a":null}', '$.b')"#, "false"),
        ("json_array_length('[1,[2,3],{}]')", "3"),
        (r#"json_array_length('{"a":[1]}', '$.a')"#, "1"),
        ("json_array_length('{}')", "NULL"),
        (r#"json_keys('{"b":1,"a":2}')"#, "[b, a]"),
        (r#"'{"a":[1,{"b":"x"}]}' -> 'a'"#, r#"[1,{"b":"x"}]"#),
        (r#"'{"a":[1,{"b":"x"}]}' -> 'a' -> 1 ->> 'b'"#, "x"),
        (r#"'{"a":[1,{"b":"x"}]}' -> 'a' -> -1 -> 'b'"#, r#""x""#),
        (r#"'{"a":{"b":1}}' ->> '$.a.b'"#, "1"),
        (r#"'{"a.b":1}' ->> 'a.b'"#, "1"),
        ("named_struct('x', 7) -> 'x'", "7"),
    ])
    .await;
    refuse(&[("json_value('{}', '$.a[?(@.b)]')", "is no JSON path"), ("json_value('{}')", "it is written")]).await;
}

#[tokio::test]
async fn divisions_are_exact_rounded_and_null_by_zero() {
    check(&[
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("mod(7, 3)", "1"),
        ("7 / 0", "NULL"),
        ("7 % 0", "NULL"),
        ("1.5 / 0", "NULL"),
        ("1.5 % 0.0", "NULL"),
        ("CAST(1 AS DOUBLE) / 0", "inf"),
        ("2.00 / 3.00", "0.666667"),
        ("-2.00 / 3.00", "-0.666667"),
        ("1.00 / 8", "0.125000"),
        ("1 / 3.0", "0.3333"),
        ("10.5 % 3", "1.5"),
        ("NULL / 3", "NULL"),
        ("div(7.9, 2)", "3"),
        // Raised to scale 24 this dividend has more than 128 bits; the result has not.
        (
            "CAST(1234567890123456789012345.1234567890 AS DECIMAL(38,10)) / CAST(3.0000000000 AS DECIMAL(38,10))",
            "411522630041152263004115.04115226300000",
        ),
        ("CASE WHEN 0 = 0 THEN 1 ELSE 1 / 0 END", "1"),
    ])
    .await;
    refuse(&[
        ("CAST(-9223372036854775808 AS BIGINT) / CAST(-1 AS BIGINT)", "verflow"),
        ("9223372036854775807 + 1", "9223372036854775807 + 1 does not fit BIGINT"),
        ("-9223372036854775807 - 1 - 1", "does not fit BIGINT"),
        ("(9223372036854775806 + 1) * 2", "does not fit BIGINT"),
        ("'a' / 2", ""),
    ])
    .await;
}

#[tokio::test]
async fn a_division_by_zero_is_counted_or_refused() {
    let counting = Functions::builtin();
    let found =
        rows(&context(&counting), "SELECT a / b FROM (VALUES (1, 0), (4, 2), (NULL, 0), (3, NULL)) t(a, b)").await;
    assert_eq!(found.as_deref(), Ok("NULL\n2\nNULL\nNULL"));
    assert_eq!(counting.divisions().by_zero.load(Ordering::Relaxed), 1);

    let failing = Functions::builtin().dividing(ZeroDivisor::Fail);
    let found = rows(&context(&failing), "SELECT a / b FROM (VALUES (1, 0), (4, 2)) t(a, b)").await;
    assert!(found.unwrap_err().to_lowercase().contains("divide by zero"));
}

#[tokio::test]
async fn a_division_is_named_as_it_is_written() {
    let context = context(&Functions::builtin());
    let plan = context.state().create_logical_plan("SELECT a / b, a % b FROM (VALUES (1, 2)) t(a, b)").await.unwrap();
    assert_eq!(plan.schema().field_names(), ["t.a / t.b", "t.a % t.b"]);
}

#[tokio::test]
async fn numbers_stay_exact() {
    check(&[
        ("round(2.345, 2)", "2.35"),
        ("round(-2.345, 2)", "-2.35"),
        ("round(9007199254740993)", "9007199254740993"),
        ("round(15, -1)", "20"),
        ("round(-15, -1)", "-20"),
        ("round(14, -1)", "10"),
        ("round(CAST(2.5 AS DOUBLE))", "3.0"),
        ("ceil(99.1)", "100"),
        ("ceiling(-99.9)", "-99"),
        ("ceil(9007199254740993)", "9007199254740993"),
        ("floor(-0.5)", "-1"),
        ("floor(12345678901234567890123456789.99)", "12345678901234567890123456789"),
        ("trunc(-2.99)", "-2"),
        ("truncate(2.999, 1)", "2.900"),
        ("trunc(159, -1)", "150"),
        ("abs(-12345678901234567890.01)", "12345678901234567890.01"),
        ("power(1.05, 3)", "1.157625"),
        ("power(2.5, 4)", "39.0625"),
        ("power(2, 10)", "1024.0"),
        ("pow(4.0, 0.5)", "2.0"),
        ("sign(-3)", "-1.0"),
        ("greatest(1.5, 2, 1)", "2.0"),
        ("least(1.5, 2, 1)", "1.0"),
        ("round(NULL)", "NULL"),
    ])
    .await;
    refuse(&[
        ("power(99999.99, 19)", "verflow"),
        ("round(9223372036854775807, -1)", "does not fit"),
        ("round(1.5, 'a')", "it is written"),
    ])
    .await;
}

#[tokio::test]
async fn times_are_written_read_and_moved() {
    check(&[
        ("date_format(TIMESTAMP '2024-02-29 15:04:05', 'yyyy-MM-dd HH:mm')", "2024-02-29 15:04"),
        ("date_format(TIMESTAMP '2024-02-29 15:04:05', '%Y/%m/%d %H:%i:%s')", "2024/02/29 15:04:05"),
        ("to_char(DATE '2024-02-29', '%d.%m.%Y')", "29.02.2024"),
        ("date_format('2024-02-29T15:04:05', 'HH')", "15"),
        ("to_timestamp('29.02.2024 15:04', 'dd.MM.yyyy HH:mm')", "2024-02-29T15:04:00"),
        ("to_timestamp('2024-02-29T15:04:05.678Z')", "2024-02-29T15:04:05.678"),
        ("to_timestamp('2024-02-29T15:04:05+02:00')", "2024-02-29T13:04:05"),
        ("to_timestamp(1709219045)", "2024-02-29T15:04:05"),
        ("to_timestamp(1709219045.678)", "2024-02-29T15:04:05.678"),
        ("to_timestamp_ltz(1709219045678, 3)", "2024-02-29T15:04:05.678"),
        ("to_timestamp_millis(1709219045678)", "2024-02-29T15:04:05.678"),
        ("to_timestamp_micros(1709219045678999)", "2024-02-29T15:04:05.678"),
        ("arrow_typeof(to_timestamp(0))", "Timestamp(ms)"),
        ("arrow_typeof(now())", "Timestamp(ms)"),
        ("from_unixtime(0)", "1970-01-01T00:00:00"),
        ("from_unixtime(86400, 'yyyy-MM-dd')", "1970-01-02"),
        ("unix_timestamp(TIMESTAMP '1970-01-01 00:01:00')", "60"),
        ("unix_timestamp('01/02/1970', '%d/%m/%Y')", "2678400"),
        ("unix_timestamp() > 1700000000", "true"),
        ("datediff('hours', TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-02 01:30:00')", "25"),
        ("datediff(day, DATE '2024-03-01', DATE '2024-02-28')", "-2"),
        ("datediff('2024-03-01', '2024-02-28')", "2"),
        ("timestampdiff(MONTH, TIMESTAMP '2024-01-31 00:00:00', TIMESTAMP '2024-02-29 00:00:00')", "0"),
        ("timestampdiff(YEAR, DATE '2000-06-15', DATE '2024-06-15')", "24"),
        ("dateadd(month, 1, TIMESTAMP '2024-01-31 10:00:00')", "2024-02-29T10:00:00"),
        ("date_add(DATE '2024-02-28', 2)", "2024-03-01T00:00:00"),
        ("date_add(TIMESTAMP '2024-02-28 00:00:00', INTERVAL '1' HOUR)", "2024-02-28T01:00:00"),
        ("date_sub(TIMESTAMP '2024-03-31 00:00:00', INTERVAL '1' MONTH)", "2024-02-29T00:00:00"),
        ("last_day('2023-02-03')", "2023-02-28T00:00:00"),
        ("year(DATE '2024-02-29')", "2024"),
        ("hour(TIMESTAMP '2024-02-29 15:04:05')", "15"),
        ("dayofweek(DATE '2024-02-29')", "5"),
        ("week(DATE '2021-01-03')", "53"),
        ("EXTRACT(HOUR FROM TIMESTAMP '2024-02-29 15:04:05')", "15"),
        ("EXTRACT(EPOCH FROM INTERVAL '90' MINUTE)", "5400.0"),
        ("EXTRACT(EPOCH FROM (to_timestamp(10) - to_timestamp(4)))", "6.0"),
        ("EXTRACT(EPOCH FROM (NOW() - to_timestamp(0))) > 1700000000", "true"),
        ("CURRENT_TIMESTAMP <= now()", "true"),
        ("CURRENT_DATE >= DATE '2024-01-01'", "true"),
        ("proctime() IS NOT NULL AND current_time IS NOT NULL", "true"),
    ])
    .await;
    refuse(&[
        ("to_timestamp('yesterday')", "yesterday"),
        ("to_timestamp('2024-13-01', 'yyyy-MM-dd')", "is no time of the pattern"),
        ("date_format(now(), 'bb')", "stands for nothing"),
        ("timestampdiff('fortnight', now(), now())", "is no unit of time"),
        ("to_timestamp(9223372036854775807)", "out of range"),
    ])
    .await;
}

#[tokio::test]
async fn texts_are_split_searched_and_masked() {
    check(&[
        ("split_part('a,b,c', ',', 2)", "b"),
        ("split_index('https://a.b/c', '/', 2)", "a.b"),
        ("split_index('a,b', ',', 5)", "NULL"),
        ("count_char('banana', 'a')", "3"),
        ("regexp_extract('channel_id=42&x', '(&|^)channel_id=([^&]*)', 2)", "42"),
        ("regexp_extract('abc', 'b')", "b"),
        ("regexp_extract('abc', 'x')", "NULL"),
        ("regexp('abc', '^a')", "true"),
        ("rlike('abc', '^b')", "false"),
        ("locate('na', 'banana')", "3"),
        ("locate('na', 'banana', 4)", "5"),
        ("charindex('x', 'banana')", "0"),
        ("locate('ß', 'größe')", "4"),
        ("instr('banana', 'na')", "3"),
        ("position('na' IN 'banana')", "3"),
        ("mask('Card 4711')", "Xxxx nnnn"),
        ("mask_keep_right('4711 0815', 4)", "nnnn 0815"),
        ("mask_left('4711', 2)", "nn11"),
        ("mask_right('4711', 2)", "47nn"),
        ("mask_keep_left('4711', 2)", "47nn"),
        ("len('größe')", "5"),
        ("substring('banana', 2, 3)", "ana"),
        ("concat_ws('-', 'a', NULL, 'b')", "a-b"),
        ("lcase('A') || ucase('b')", "aB"),
        ("ifnull(NULL, 'x')", "x"),
        ("nvl(NULL, 'x')", "x"),
        ("coalesce(NULL, 'x')", "x"),
        ("nullif('x', 'x')", "NULL"),
        ("if(1 > 2, 'a', 'b')", "b"),
        ("length(uuid())", "36"),
        ("rand() < 1", "true"),
    ])
    .await;
    refuse(&[("regexp('a', '(')", "is no regular expression"), ("regexp_extract('a', 'a', 3)", "has no group 3")])
        .await;
}

#[tokio::test]
async fn columns_are_computed_row_by_row() {
    let context = context(&Functions::builtin());
    for (query, expected) in [
        (
            "SELECT split_index(t, d, i) FROM (VALUES ('a,b', ',', 1), ('a-b', '-', 0), (NULL, '-', 0)) x(t, d, i)",
            "b\na\nNULL",
        ),
        (
            "SELECT json_value(j, p), j -> 'a', j ->> k FROM (VALUES ('{\"a\":\"x\"}', '$.a', 'a'), ('[1]', '$[0]', 'b')) \
             x(j, p, k)",
            "x|\"x\"|x\n1|NULL|NULL",
        ),
        (
            "SELECT date_format(to_timestamp(s), p) FROM (VALUES (0, 'yyyy'), (86400, '%d'), (86400, NULL)) x(s, p)",
            "1970\n02\nNULL",
        ),
        (
            "SELECT round(n, p), trunc(d, p), round(d, p) FROM (VALUES (15, -1, 2.55), (15, 1, 2.55)) x(n, p, d)",
            "20|0.00|0.00\n15|2.50|2.60",
        ),
        ("SELECT datediff(u, a, b) FROM (VALUES ('day', 0, 172800000), ('hour', 0, 7200000)) x(u, a, b)", "2\n2"),
        ("SELECT a % b, a / b FROM (VALUES (7.50, 2.00), (7.50, 0.00)) x(a, b)", "1.50|3.750000\nNULL|NULL"),
        ("SELECT power(a, 2), ceil(a) FROM (VALUES (1.5), (NULL), (-1.5)) x(a)", "2.25|2\nNULL|NULL\n2.25|-1"),
        ("SELECT regexp_extract(t, p) FROM (VALUES ('ab', 'a(.)'), ('ab', 'b')) x(t, p)", "b\nb"),
    ] {
        assert_eq!(rows(&context, query).await.as_deref(), Ok(expected), "{query}");
    }
}

const ORDERS: &str = "(VALUES ('a', 1.10, 1), ('a', 2.20, 2), ('a', 3.30, 3), ('b', 10.00, 4), ('b', NULL, 5), ('b', 20.00, 6)) \
                      orders(k, v, n)";

#[tokio::test]
async fn headers_are_read_from_their_column() {
    let mut headers = MapBuilder::new(None, StringBuilder::new(), BinaryBuilder::new());
    for (name, value) in [("trace", "old"), ("trace", "new"), ("kind", "order")] {
        headers.keys().append_value(name);
        headers.values().append_value(value);
    }
    headers.append(true).unwrap();
    headers.append(true).unwrap();
    headers.append(false).unwrap();
    let columns: [(&str, ArrayRef); 2] =
        [("id", Arc::new(Int64Array::from(vec![1, 2, 3]))), ("_headers", Arc::new(headers.finish()))];
    let context = context(&Functions::builtin());
    context.register_batch("orders", RecordBatch::try_from_iter(columns).unwrap()).unwrap();
    let query = "SELECT HEADER('trace'), HAS_HEADER('kind'), HEADER_KEYS() FROM orders ORDER BY id";
    let expected = "new|true|[trace, trace, kind]\nNULL|false|[]\nNULL|false|[]";
    assert_eq!(rows(&context, query).await.as_deref(), Ok(expected));
}

#[tokio::test]
async fn the_mark_of_within_stays_in_the_plan() {
    let context = context(&Functions::builtin());
    let plan = context
        .sql("SELECT a FROM (VALUES (1, 2)) t(a, b) WHERE __within(a, b, 5, 5)")
        .await
        .unwrap()
        .into_optimized_plan()
        .unwrap();
    assert!(plan.display_indent().to_string().contains("__within"), "{}", plan.display_indent());
}
