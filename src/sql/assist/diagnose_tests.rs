//! Tables of `(text, what is underlined and said)`.

#![allow(clippy::unwrap_used)]

use arrow::datatypes::{DataType, Field as ArrowField, Schema, TimeUnit};

use super::*;
use crate::sql::assist::catalog::{Columns, Sample, Topic};

fn topic(name: &str, columns: &[(&str, DataType)]) -> Topic {
    let fields: Vec<_> = columns.iter().map(|(name, kind)| ArrowField::new(*name, kind.clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let sample = Sample { fields: fields_of(&schema), schema, records: 100, at_ms: 0 };
    Topic { name: name.into(), partitions: 3, columns: Columns::Known(Arc::new(sample)) }
}

fn catalog() -> Arc<Catalog> {
    let time = DataType::Timestamp(TimeUnit::Millisecond, None);
    let address = DataType::Struct(vec![ArrowField::new("city", DataType::Utf8, true)].into());
    let empty = Fault::new(Blame::Operator, "no record of `quiet` came within 3s, so its columns are not known");
    let away = Fault::new(Blame::Connection, "no broker answered");
    Arc::new(Catalog {
        topics: vec![
            topic(
                "orders",
                &[
                    ("order_id", DataType::Utf8),
                    ("customer_id", DataType::Utf8),
                    ("amount", DataType::Decimal128(18, 2)),
                    ("quantity", DataType::Int64),
                    ("address", address),
                    ("ts", time.clone()),
                ],
            ),
            topic("payments", &[("payment_id", DataType::Utf8), ("order_id", DataType::Utf8), ("paid_at", time)]),
            Topic { name: "unseen".into(), partitions: 1, columns: Columns::Unknown },
            Topic { name: "quiet".into(), partitions: 1, columns: Columns::Failed(empty) },
            Topic { name: "away".into(), partitions: 1, columns: Columns::Failed(away) },
        ],
        is_complete: true,
        ..Catalog::default()
    })
}

/// Every error as `underlined | what | next`.
fn errors(text: &str) -> Vec<String> {
    let said = |error: &Diagnostic| {
        format!("{} | {} | {}", &text[error.span.start..error.span.end], error.fault.what, error.fault.next)
    };
    diagnose(text, &catalog()).errors.iter().map(said).collect()
}

#[test]
fn what_is_wrong_is_underlined_where_it_stands_with_the_nearest_name() {
    for (text, expected) in [
        ("SELECT amout FROM orders", "amout | there is no column `amout` | did you mean `amount`?"),
        ("SELECT o.amout FROM orders o", "amout | there is no column `amout` | did you mean `amount`?"),
        (
            "SELECT amount\nFROM orders\nWHERE qantity > 1",
            "qantity | there is no column `qantity` | did you mean `quantity`?",
        ),
        (
            "SELECT customer_id, SUM(amont) AS spent FROM orders WINDOW TUMBLING(10s) GROUP BY customer_id EMIT CHANGES",
            "amont | there is no column `amont` | did you mean `amount`?",
        ),
        (
            "SELECT 'é', custmer_id FROM orders",
            "custmer_id | there is no column `custmer_id` | did you mean `customer_id`?",
        ),
        ("SELECT * FROM ordres", "ordres | there is no stream, table or topic `ordres` | did you mean `orders`?"),
        (
            "SELECT * FROM orders o JOIN paymnts p WITHIN 5m ON o.order_id = p.order_id",
            "paymnts | there is no stream, table or topic `paymnts` | did you mean `payments`?",
        ),
        ("SELECT uper(order_id) FROM orders", "uper | there is no function `uper` | did you mean `upper`?"),
        ("SELECT summ(amount) FROM orders", "summ | there is no function `summ` | did you mean `sum`?"),
        (
            "SELECT amount FROM orders WITH ('state.tll' = '1h')",
            "'state.tll' | `state.tll` is no option of this statement | an end's options begin with its name, as \
             `orders.topic`; the nearest key is `state.ttl`",
        ),
        (
            "CREATE STREAM big AS SELECT order_id FROM orders;\nSELECT amount FROM big",
            "amount | there is no column `amount` | columns are: order_id",
        ),
        (
            "CREATE SOURCE s (a BIGINT) WITH ('connector' = 'kafka', 'strat' = 'latest')",
            "'strat' | the connector `kafka` has no option `strat` | did you mean `start`?",
        ),
        ("SELECT * FROM quiet", "quiet | no record of `quiet` came within 3s, so its columns are not known | "),
        (
            "SELEC 1",
            "SELEC | expected SELECT, WITH, VALUES, CREATE, INSERT INTO, DROP, SHOW, DESCRIBE, EXPLAIN, START JOB, STOP JOB, PAUSE JOB, RESUME JOB, DEPLOY JOB or ROLLBACK JOB, found `SELEC` | did you mean SELECT?",
        ),
    ] {
        assert_eq!(errors(text), [expected], "{text}");
    }
}

#[test]
fn what_is_right_is_left_alone() {
    for text in [
        "",
        "-- nothing yet\n",
        "SELECT * FROM orders",
        "SELECT address.city, _key, _partition FROM orders WHERE amount > 100 AND _key LIKE 'C%'",
        "SELECT customer_id, SUM(amount) AS spent, COUNT(*) AS n FROM orders WINDOW TUMBLING(10s) GROUP BY customer_id EMIT CHANGES",
        "SELECT o.order_id, p.paid_at FROM orders o JOIN payments p WITHIN 5m ON o.order_id = p.order_id",
        "SELECT order_id, LAG(amount) OVER (PARTITION BY customer_id ORDER BY ts) FROM orders",
        "CREATE STREAM big AS SELECT order_id, amount FROM orders WHERE amount > 100;\nSELECT amount FROM big;\nINSERT INTO out SELECT * FROM big",
        "CREATE SOURCE s (id BIGINT, at TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'orders');\nSELECT id FROM s",
        "SELECT n.a FROM 'file:///tmp/x.csv?header=true' n",
        "WITH big AS (SELECT * FROM orders) SELECT order_id FROM big",
        "SHOW TOPICS; DESCRIBE orders; EXPLAIN SELECT amount FROM orders",
        "SELECT anything FROM unseen",
        "SELECT anything FROM away",
    ] {
        assert_eq!(errors(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_wrong_statement_is_said_once_and_not_again_where_its_name_is_read() {
    let text = "CREATE STREAM big AS SELECT amout FROM orders;\nSELECT nothing FROM big;\nSELECT amount FROM orders";
    assert_eq!(errors(text), ["amout | there is no column `amout` | did you mean `amount`?"]);
}

#[test]
fn topics_that_nobody_has_looked_into_are_asked_for_all_at_once() {
    let text = "SELECT * FROM unseen u JOIN quiet q WITHIN 1m ON u.a = q.a; SELECT a FROM unseen";
    assert_eq!(diagnose(text, &catalog()).wanted, ["unseen", "quiet"]);
}

#[test]
fn what_a_text_defines_is_known_with_its_columns() {
    let text = "CREATE TABLE spent AS SELECT customer_id, SUM(amount) AS total FROM orders GROUP BY customer_id;\n\
                CREATE SINK out (id BIGINT) WITH ('connector' = 'kafka');\n\
                CREATE STREAM later AS SELECT * FROM unseen;\n\
                DROP SINK out";
    let found = diagnose(text, &catalog());
    let shown = |relation: &Relation| {
        let columns = relation.columns.as_ref().map(|columns| {
            columns.iter().map(|field| format!("{} {}", field.name, field.sql_type)).collect::<Vec<_>>().join(", ")
        });
        format!("{} {}: {}", relation.kind.word(), relation.name, columns.unwrap_or_else(|| "unknown".into()))
    };
    let relations: Vec<_> = found.relations.iter().map(shown).collect();
    assert_eq!(relations, ["table spent: customer_id VARCHAR, total DECIMAL(28,2)", "stream later: unknown"]);
    assert_eq!(found.errors, []);
}

#[test]
fn a_diagnosis_is_total_on_any_prefix_of_a_text() {
    let text = "CREATE STREAM s AS SELECT o.amount, 'é' FROM orders o WHERE o.address.city = 'x' WINDOW HOPPING(10m, 1m) \
                GROUP BY o.amount WITH ('state.ttl' = '1h'); -- end";
    for (end, _) in text.char_indices() {
        for error in diagnose(&text[..end], &catalog()).errors {
            assert!(error.span.end <= end && text.is_char_boundary(error.span.start), "{end}: {error:?}");
        }
    }
}

#[test]
fn a_defect_of_looking_is_said_of_its_statement_alone() {
    assert_eq!(defect(|| {}), None);
    let fault = defect(|| panic!("column {} of 3", 7)).unwrap();
    assert_eq!(fault.blame, Blame::Program);
    assert!(fault.what.ends_with("by a defect of this program: column 7 of 3"), "{fault}");
}
