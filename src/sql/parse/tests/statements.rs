//! Statements around queries, several in a text, annotations, variables, and what is said about mistakes.

use super::*;

#[test]
fn a_declaration_has_columns_keys_and_a_watermark() {
    let text = "CREATE TABLE IF NOT EXISTS orders (id BIGINT NOT NULL, amount DECIMAL(18, 2), tags MAP<VARCHAR, ARRAY<INT>>, \
                at TIMESTAMP(3), note STRING, total AS amount * 2, part INT METADATA FROM 'partition' VIRTUAL, \
                WATERMARK FOR at AS at - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', topic = 'orders')";
    let StatementKind::Declare(table) = one(text).kind else { panic!("no declaration") };
    assert_eq!((table.object, table.name.as_str(), table.if_not_exists), (Object::Table, "orders", true));
    let columns: Vec<String> =
        table.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
    let wanted = [
        "id BIGINT",
        "amount DECIMAL(18,2)",
        "tags Map(VARCHAR, ARRAY<INT>)",
        "at TIMESTAMP(3)",
        "note STRING",
        "total ",
        "part INT",
    ];
    assert_eq!(columns, wanted);
    assert!(table.columns[0].not_null && table.columns[0].primary_key && !table.columns[1].primary_key);
    assert_eq!(table.columns[5].computed.as_ref().unwrap().to_string(), "amount * 2");
    assert_eq!(table.columns[6].metadata.as_deref(), Some("partition"));
    let (column, watermark) = table.watermark.unwrap();
    assert_eq!((column.as_str(), watermark.to_string().as_str()), ("at", "at - INTERVAL '5' SECOND"));
    assert_eq!(table.options.get("topic"), Some("orders"));
}

#[test]
fn every_kind_of_statement_is_known_by_its_first_words() {
    let kind = |text: &str| match one(text).kind {
        StatementKind::CreateStream(it) => format!("stream {} {} {}", it.name, it.if_not_exists, it.or_replace),
        StatementKind::CreateTable(it) => format!("table {}", it.name),
        StatementKind::CreateView(it) => format!("view {}", it.name),
        StatementKind::Declare(it) => format!("declare {:?} {}", it.object, it.name),
        StatementKind::Query(_) => "query".to_owned(),
        StatementKind::Insert { sink, query } => {
            format!("insert {sink:?} {:?}", query.names.iter().map(|named| &named.name).collect::<Vec<_>>())
        }
        StatementKind::Drop { object, name, if_exists } => format!("drop {object} {name} {if_exists}"),
        StatementKind::Show { object } => format!("show {object}"),
        StatementKind::Describe { name } => format!("describe {name:?}"),
        StatementKind::Explain { analyze, statement } => {
            format!("explain {analyze} {}", matches!(statement.kind, StatementKind::Query(_)))
        }
        StatementKind::Job { verb, force, name, options } => {
            format!("job {verb} {force} {name} {:?}", options.get("a"))
        }
    };
    for (text, wanted) in [
        ("CREATE OR REPLACE STREAM IF NOT EXISTS s AS SELECT 1 FROM t", "stream s true true"),
        ("CREATE TABLE s AS SELECT 1 FROM t", "table s"),
        ("CREATE MATERIALIZED VIEW s AS SELECT 1 FROM t", "table s"),
        ("CREATE VIEW s AS (SELECT 1 FROM t)", "view s"),
        ("CREATE STREAM s WITH (KAFKA_TOPIC='x') AS SELECT 1 FROM t", "stream s false false"),
        ("CREATE SOURCE s WITH ('connector' = 'kafka')", "declare Source s"),
        ("CREATE SINK s (a INT) WITH (connector = file)", "declare Sink s"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "query"),
        ("VALUES (1, 'a'), (2, 'b')", "query"),
        ("INSERT INTO out (a, b) SELECT 1, 2 FROM t", "insert Name(\"out\") [\"a\", \"b\"]"),
        ("INSERT INTO 'file:///x.csv' SELECT 1", "insert Uri(\"file:///x.csv\") []"),
        ("DROP MATERIALIZED VIEW IF EXISTS x", "drop TABLE x true"),
        ("show streams;", "show STREAMS"),
        ("DESCRIBE 'file:///x.csv'", "describe Uri(\"file:///x.csv\")"),
        ("EXPLAIN ANALYZE SELECT 1", "explain true true"),
        ("STOP FORCE JOB j", "job STOP true j None"),
        ("DEPLOY JOB j WITH (a = 1)", "job DEPLOY false j Some(\"1\")"),
    ] {
        assert_eq!(kind(text), wanted, "{text}");
    }
}

#[test]
fn one_bad_statement_hides_no_other() {
    let text = "SELECT 1;\nSELEC 2;\n-- a ; b\nSELECT ';' /* ; */ FROM t;\nSELECT FROM;;\nSELECT 3";
    let script = parse(text, "f.sql");
    let spans: Vec<&str> = script.statements.iter().map(|it| &text[it.span.start..it.span.end]).collect();
    assert_eq!(spans, ["SELECT 1", "SELECT ';' /* ; */ FROM t", "SELECT 3"]);
    let errors: Vec<String> = script.errors.iter().map(|error| error.fault.to_string()).collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].starts_with("f.sql:2:1: expected SELECT, WITH"), "{errors:?}");
    assert!(errors[0].ends_with("did you mean SELECT?"), "{errors:?}");
    assert!(errors[1].starts_with("f.sql:5:8: "), "{errors:?}");
}

#[test]
fn a_mistake_says_where_and_what_to_do() {
    for (text, wanted) in [
        ("SELECT * FORM orders", "1:10: did"),
        ("SELECT a, FROM t", "1:11: expected an expression, found `FROM`"),
        ("SELECT * FROM t WINDOW TUMLING(1h)", "1:24: `TUMLING` is not a window; did you mean TUMBLING?"),
        (
            "SELECT * FROM t WINDOW TUMBLING(60)",
            "1:33: the length of time `60` has no unit; write 500ms, 10s, 5m, 1h, 7d, 1w, INTERVAL '5' MINUTE or 5 MINUTES",
        ),
        (
            "SELECT * FROM t WINDOW HOPPING(1m, 10m)",
            "1:24: the advance of a hopping window is above zero and at most its length; write HOPPING(10m, 1m): first the length, then the advance",
        ),
        (
            "SELECT * FROM t WINDOW TUMBLING(1 month)",
            "1:33: the length of time `1` has no unit; a month has no fixed length: use days",
        ),
        (
            "SELECT * FROM t EMIT CHANGS",
            "1:22: expected CHANGES, FINAL, ON WINDOW CLOSE or EVERY, found `CHANGS`; did you mean CHANGES?",
        ),
        (
            "SELECT * FROM t EMIT",
            "1:21: expected CHANGES, FINAL, ON WINDOW CLOSE or EVERY, found the end of the statement",
        ),
        ("SELECT f(1 FROM t", "1:9: `(` is not closed; close it before the statement ends"),
        ("SELECT 1) FROM t", "1:9: `)` closes nothing; remove it, or open it before"),
        (
            "SELECT 'abc FROM t",
            "1:8: the string that begins here is not closed; close it; a quote inside is written twice",
        ),
        (
            "SELECT * FROM (SELECT * FROM t EMIT CHANGES) q",
            "1:32: EMIT belongs to the statement, not to a query inside it; move it behind the last bracket",
        ),
        ("SELECT * FROM t WITH ('a' 'b')", "1:27: expected `=`, found `'b'`; write 'a' = 'value'"),
        ("SELECT * FROM t WITH (a = 1, A = 2)", "1:30: option `A` is there twice; it is set at line 1 already"),
        (
            "SELECT * FROM a JOIN b USING (id) WITHIN 5m",
            "1:35: WITHIN needs ON, not USING; write JOIN b WITHIN 5m ON a.id = b.id",
        ),
        (
            "SELECT * FROM a JOIN b WITHIN 5m ON a.id > 5",
            "1:24: WITHIN needs an equality of two columns in ON; write ON a.id = b.id",
        ),
        ("SELECT * FROM t GROUP BY a GROUP BY b", "1:28: GROUP BY is there twice; a query has each clause once"),
        (
            "SELECT * FROM t WINDOW TUMBLING(1m) GROUP BY TUMBLE(2m)",
            "1:46: a query has one window; put one of them into a subquery: SELECT … FROM (SELECT … WINDOW …) WINDOW …",
        ),
        (
            "CREATE STREEM s AS SELECT 1",
            "1:8: expected STREAM, TABLE, VIEW, MATERIALIZED VIEW, SOURCE or SINK, found `STREEM`; did you mean STREAM?",
        ),
        ("CREATE STREAM s SELECT 1", "1:17: expected AS or WITH (…), found `SELECT`"),
        ("CREATE TABLE s (a INT, PRIMARY KEY (b)) WITH (x = 1)", "1:37: PRIMARY KEY names no column: `b`"),
        (
            "SELECT a PRIMARY KEY FROM t WHERE x IN (SELECT b PRIMARY KEY FROM u)",
            "1:50: PRIMARY KEY belongs to the outermost SELECT: only its rows become messages; move it to the SELECT of the statement",
        ),
        ("SELECT * FROM", "1:10: FROM names nothing; write FROM orders, or FROM 'kafka://host:9092/orders'"),
        ("SELECT ü, , b FROM t", "1:11: expected an expression, found `,`"),
    ] {
        let said = error(text);
        if let Some(place) = wanted.strip_suffix(" did") {
            assert!(said.contains("did you mean FROM") && !place.is_empty(), "{text}: {said}");
        } else {
            assert_eq!(said, wanted, "{text}");
        }
    }
}

#[test]
fn a_diagnostic_underlines_what_is_wrong() {
    let text = "SELECT *\nFROM orders -- ü\nWINDOW TUMLING(1h)";
    let script = parse(text, "q.sql");
    let shown = render(&script.errors[0], text);
    let wanted = "q.sql:3:8: `TUMLING` is not a window\n3 | WINDOW TUMLING(1h)\n  |        ^^^^^^^\n  = did you mean TUMBLING?\n";
    assert_eq!(shown, wanted);
    let wide = "SELECT '漢字', FROM t";
    let shown = render(&parse(wide, "q.sql").errors[0], wide);
    assert_eq!(
        shown,
        "q.sql:1:14: expected an expression, found `FROM`\n1 | SELECT '漢字', FROM t\n  |                ^^^^\n"
    );
}

#[test]
fn annotations_go_to_the_statement_or_to_the_file() {
    let text = "-- @app: trading\n-- @job_mode: simple\n\n-- @metric: m_total\n-- @metric_type: counter\n\n\
                -- @batch_size: 500\n-- plain\nCREATE STREAM a AS SELECT 1 FROM t;\n\n-- @description: \"second\"\n\nCREATE STREAM b AS SELECT 2 FROM t;\n-- @version: 2\n";
    let script = parse(text, "f.sql");
    let keys = |annotations: &[Annotation]| {
        annotations.iter().map(|it| format!("{}={}", it.key, it.value)).collect::<Vec<_>>()
    };
    assert_eq!(keys(&script.annotations), ["app=trading", "job_mode=simple"]);
    assert_eq!(keys(&script.statements[0].annotations), ["metric=m_total", "metric_type=counter", "batch_size=500"]);
    assert_eq!(keys(&script.statements[1].annotations), ["description=second"]);
    let warned: Vec<_> = script.warnings.iter().map(|warning| warning.fault.what.as_str()).collect();
    assert_eq!(
        warned,
        [
            "nothing reads `@job_mode` yet",
            "nothing reads `@metric` yet",
            "nothing reads `@metric_type` yet",
            "nothing reads `@batch_size` yet",
            "annotation `@version` stands above no statement"
        ]
    );
}

#[test]
fn annotations_are_checked() {
    for (text, wanted) in [
        ("-- @metric_type: countr\nSELECT 1", "1:1: `countr` is no type of metric; did you mean counter?"),
        ("-- @batch_size 5\nSELECT 1", "1:4: annotation `@batch_size` lacks its `:`; write -- @batch_size: value"),
        (
            "-- @batch_size: five\nSELECT 1",
            "1:1: annotation `@batch_size` is a whole number above zero; write -- @batch_size: 4",
        ),
        (
            "-- @metric: 1x\nSELECT 1",
            "1:1: annotation `@metric` is no name of a metric; letters, digits, `_` and `:`, not beginning with a digit: velo_orders_total",
        ),
        (
            "-- @metric: m\n-- @metric_type: gauge\nSELECT 1",
            "1:1: the gauge `m` lacks its field; write -- @metric_field: column below it",
        ),
        (
            "-- @metric_labels: a\nSELECT 1",
            "1:1: annotation `@metric_labels` belongs to no metric; write -- @metric: name above it",
        ),
        (
            "-- @metric_buckets: 1, 5, 3\nSELECT 1",
            "1:1: annotation `@metric_buckets` is a list of numbers that rise; write -- @metric_buckets: 0.01, 0.1, 1, 10",
        ),
        (
            "-- @metric: m\n-- @metric_condition: volume >\nSELECT 1",
            "2:1: annotation `@metric_condition` is no condition: expected an expression, found the end of the statement; write -- @metric_condition: volume > 1000",
        ),
        (
            "-- @observability.metrics.enabled: yes\nSELECT 1",
            "1:1: annotation `@observability.metrics.enabled` is true or false; write -- @observability.metrics.enabled: true",
        ),
    ] {
        assert_eq!(error(text), wanted, "{text}");
    }
    let script = parse("-- @metrik: x\nSELECT 1", "f.sql");
    assert_eq!(script.warnings[0].fault.to_string(), "f.sql:1:4: unknown annotation `@metrik`; did you mean @metric?");
}

#[test]
fn variables_are_replaced_where_they_stand() {
    let lookup = |name: &str| match name {
        "TOPIC" => Some("orders".to_owned()),
        "MIN" => Some("100".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    };
    let text = "SELECT '${TOPIC}', '$${x}' FROM prod_${TOPIC} WHERE a > ${MIN} AND b < ${NONE:-5} WITH ('k.${TOPIC}' = 'x', 'v' = '${EMPTY:-d}-${TOPIC}')";
    let script = parse_with(text, "f.sql", &lookup);
    assert!(script.errors.is_empty(), "{}", shown(&script.errors, text));
    let StatementKind::Query(query) = &script.statements[0].kind else { panic!("no query") };
    assert_eq!(query.query.to_string(), "SELECT 'orders', '${x}' FROM prod_orders WHERE a > 100 AND b < 5");
    assert_eq!(query.options.get("v"), Some("d-orders"));
    for (text, wanted) in [
        (
            "SELECT * FROM ${NONE}",
            "1:15: variable `NONE` is not set; set NONE in the environment or in `.env`, or write ${NONE:-default}",
        ),
        (
            "SELECT * FROM t WITH (a = '${NONE:?the password}')",
            "1:27: variable `NONE` is not set: the password; set NONE in the environment or in `.env`",
        ),
        (
            "SELECT * FROM t WITH (a = '${NONE}')",
            "1:27: variable `NONE` is not set; set NONE in the environment or in `.env`, or write ${NONE:-default}",
        ),
    ] {
        let script = parse_with(text, "f.sql", &lookup);
        assert_eq!(script.errors[0].fault.to_string(), format!("f.sql:{wanted}"), "{text}");
    }
    let sink = "SELECT * FROM t INTO 's3://b/year=${year}/' WITH (partition_by = ['year'])";
    let script = parse_with(sink, "f.sql", &lookup);
    assert!(script.errors.is_empty() && script.warnings.is_empty());
    let StatementKind::Query(query) = &script.statements[0].kind else { panic!("no query") };
    assert_eq!(query.into, Some(EndName::Uri("s3://b/year=${year}/".into())));
}

#[test]
fn an_expression_stands_alone() {
    let said = |text: &str| match parse_expression(text, "where") {
        Ok(expression) => expression.to_string(),
        Err(error) => error.fault.to_string(),
    };
    assert_eq!(said("amount > 100 AND _key LIKE \"CUST-%\""), "amount > 100 AND _key LIKE 'CUST-%'");
    assert_eq!(said("amount > "), "where:1:10: expected an expression, found the end of the statement");
    assert_eq!(said("a > 1 b"), "where:1:7: expected the end of the statement, found `b`");
}
