//! Mistakes as people make them: whatever is wrong with a query is said in the words of SQL.

#![allow(clippy::unwrap_used)]

use crate::core::fault::Place;
use crate::sql::plan::tests::planned;

const ORDERS: &str = "CREATE STREAM orders (order_id VARCHAR, customer_id VARCHAR, amount DECIMAL(18, 2), quantity BIGINT, \
                      ts TIMESTAMP(3), ok BOOLEAN, tags ARRAY<VARCHAR>, d DATE) WITH ('topic' = 'orders');\n";

/// What only those who make the planner read.
const FOREIGN: [&str; 16] = [
    "DataFusion",
    "Arrow",
    "Utf8",
    "Int64",
    "Decimal128",
    "TypeSignature",
    "Error during planning",
    "Internal error",
    "Execution error",
    "Schema error",
    "not implemented",
    "type_coercion",
    "Optimizer rule",
    "Candidate functions",
    "Physical plan",
    "caused by",
];

/// Mistakes, and the text at which each is shown.
const PLACED: [(&str, &str); 71] = [
    ("SELECT order_id FROM orders LIMIT -5", "5"),
    ("SELECT order_id FROM orders LIMIT 'a'", "'a'"),
    ("SELECT order_id FROM orders OFFSET -1", "1"),
    ("SELECT -customer_id FROM orders", "customer_id FROM"),
    ("SELECT - ok FROM orders", "ok FROM"),
    ("SELECT amount / customer_id FROM orders", "amount /"),
    ("SELECT amount / ts FROM orders", "amount /"),
    ("SELECT amount % customer_id FROM orders", "amount %"),
    ("SELECT quantity / ok FROM orders", "quantity /"),
    ("SELECT orders.nothing FROM orders", "orders.nothing"),
    ("SELECT t.* FROM orders", "t.*"),
    ("SELECT x.* FROM orders o JOIN payments p WITHIN 5m ON o.order_id = p.order_id", "x.*"),
    (
        "SELECT o.order_id FROM orders o JOIN payments p WITHIN 5m ON o.order_id = p.order_id WHERE x.amount = 1",
        "x.amount",
    ),
    ("SELECT order_id AS x, customer_id AS x FROM orders INTO out", "x FROM"),
    ("SELECT order_id AS x, ok, customer_id AS x FROM orders", "x FROM"),
    ("SELECT order_id, order_id FROM orders", "order_id FROM"),
    ("CREATE STREAM s AS SELECT order_id AS a, amount AS a FROM orders INTO out", "a FROM"),
    ("CREATE STREAM twice (a BIGINT, a VARCHAR) WITH ('topic' = 'x')", "a VARCHAR"),
    (
        "SELECT a.order_id FROM orders a LEFT JOIN payments b WITHIN 5m ON a.order_id = b.order_id AND EXISTS (SELECT 1 FROM payments)",
        "SELECT 1",
    ),
    (
        "SELECT a.order_id FROM orders a LEFT JOIN payments b WITHIN 5m ON a.order_id = b.order_id AND a.amount IN (SELECT amount FROM payments)",
        "a.amount IN",
    ),
    ("SELECT order_id FROM orders ORDER BY amount", "amount"),
    ("SELECT SUM(amount) OVER (ORDER BY amount) FROM orders", "SUM("),
    ("SELECT SUM(amount) OVER (ORDER BY ts DESC) FROM orders", "SUM("),
    ("SELECT NTILE(4) OVER (ORDER BY ts) FROM orders", "NTILE("),
    ("SELECT LAG(amount, 'x') OVER (ORDER BY ts) FROM orders", "LAG("),
    ("SELECT a.amount FROM orders a JOIN payments b ON a.order_id = b.order_id", "payments b"),
    ("SELECT a.amount FROM orders a, payments b", "payments b"),
    ("SELECT a.amount FROM orders a JOIN payments a WITHIN 5m ON a.order_id = a.order_id", "a WITHIN"),
    ("SELECT a.amount FROM orders a JOIN payments b USING (nothing)", "nothing"),
    ("SELECT UNNEST(amount) FROM orders", "UNNEST"),
    ("SELECT t FROM orders o CROSS JOIN UNNEST(o.amount) AS x(t)", "o.amount"),
    ("SELECT t FROM orders o LEFT JOIN UNNEST(o.tags) AS x(t) ON x.t = 'a'", "x.t"),
    ("SELECT t FROM orders o CROSS JOIN UNNEST(o.tags) AS x(t, u)", "x(t, u)"),
    ("SELECT t FROM orders o CROSS JOIN UNNEST(o.tag) AS x(t)", "o.tag"),
    ("SELECT order_id FROM orders WHERE 'a' IN (SELECT UNNEST(tags))", "UNNEST"),
    ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r", "r AS"),
    ("WITH x AS (SELECT 1), x AS (SELECT 2) SELECT * FROM x", "x AS (SELECT 2"),
    ("WITH x(a, b) AS (SELECT order_id FROM orders) SELECT * FROM x", "x(a"),
    ("SELECT * FROM (VALUES (1, 2)) AS v(a)", "v(a"),
    ("SELECT * FROM (VALUES (1, 2), (3)) AS v", "3"),
    ("SELECT order_id FROM orders WHERE amount IN ('a', 'b')", "amount IN"),
    ("SELECT order_id FROM orders WHERE ok > 5", "ok >"),
    ("SELECT order_id FROM orders WHERE quantity LIKE 5", "quantity LIKE"),
    ("SELECT order_id FROM orders WHERE ts BETWEEN 1 AND 2", "ts BETWEEN"),
    ("SELECT order_id FROM orders WHERE NOT ts", "ts"),
    ("SELECT order_id FROM orders WHERE customer_id", "customer_id"),
    ("SELECT MIN() FROM orders", "MIN("),
    ("SELECT amount FROM orders HAVING COUNT(*) > nothing", "nothing"),
    ("SELECT customer_id FROM orders HAVING amount > 1", "amount >"),
    ("SELECT customer_id FROM orders GROUP BY nothing", "nothing"),
    ("SELECT order_id, COUNT(*) FROM orders GROUP BY 7", "7"),
    ("SELECT *, COUNT(*) FROM orders GROUP BY quantity", "*,"),
    ("SELECT order_id FROM orders QUALIFY amount", "amount"),
    ("SELECT COALESCE(order_id, 5, ok) FROM orders", "COALESCE"),
    ("SELECT CAST(tags AS BIGINT) FROM orders", "tags AS"),
    ("SELECT CAST(ok AS TIMESTAMP(3)) FROM orders", "ok AS"),
    ("SELECT CAST(d AS DECIMAL(5, 2)) FROM orders", "d AS"),
    ("SELECT ts - 'yesterday' FROM orders", "ts -"),
    ("SELECT d + 1.5 FROM orders", "d +"),
    ("SELECT JSON_VALUE(order_id) FROM orders", "JSON_VALUE"),
    ("SELECT order_id FROM orders UNION ALL SELECT order_id, amount FROM orders", "SELECT order_id, amount"),
    ("SELECT (SELECT MAX(amount) FROM payments) FROM orders WHERE nothing = 1", "nothing"),
    ("SELECT order_id FROM (SELECT order_id FROM orders) q WHERE amount > 1", "amount >"),
    ("SELECT order_id FROM (SELECT amount FROM orders) x", "order_id FROM ("),
    ("SELECT x.order_id FROM (SELECT order_id FROM orders) y", "x.order_id"),
    ("WITH big AS (SELECT order_id FROM orders) SELECT amount FROM big", "amount FROM big"),
    ("SELECT COUNT(*) FILTER (WHERE SUM(amount) > 1) FROM orders", "SUM("),
    (
        "SELECT customer_id, COUNT(*) FROM orders WINDOW TUMBLING(1m) GROUP BY customer_id HAVING window_strt > 5",
        "window_strt",
    ),
    ("SELECT NOT customer_id FROM orders", "customer_id"),
    ("SELECT order_id FROM orders WHERE amount IS TRUE", "amount IS"),
    ("SELECT quantity << customer_id FROM orders", "quantity"),
];

#[test]
fn a_mistake_is_shown_where_it_stands() {
    let mut wrong = Vec::new();
    for (text, at) in PLACED {
        let whole = format!("{ORDERS}{text}");
        let fault = planned(&whole).expect_err(text);
        let place = fault.place.clone().unwrap_or_else(|| Place::at("", 0, 0));
        let line = whole.lines().nth((place.line as usize).saturating_sub(1)).unwrap_or_default();
        let shown: String = line.chars().skip((place.column as usize).saturating_sub(1)).collect();
        if place.line != 2 || !shown.starts_with(at) {
            wrong.push(format!("{text}\n    {} at {place:?}: {shown}", fault.what));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), PLACED.len(), wrong.join("\n"));
}

#[test]
fn no_mistake_is_answered_in_the_planners_own_words() {
    let mistakes = [
        "SELECT SUM(customer_id) FROM orders",
        "SELECT AVG(customer_id) FROM orders",
        "SELECT AVG(ok) FROM orders",
        "SELECT STDDEV(customer_id) FROM orders",
        "SELECT MEDIAN(customer_id) FROM orders",
        "SELECT SUM(amount, quantity) FROM orders",
        "SELECT SUM() FROM orders",
        "SELECT COUNT(*, 1) FROM orders",
        "SELECT UPPER() FROM orders",
        "SELECT UPPER(customer_id, 1) FROM orders",
        "SELECT UPPER(amount) FROM orders",
        "SELECT ABS(customer_id) FROM orders",
        "SELECT ROUND(customer_id) FROM orders",
        "SELECT SUBSTR(customer_id) FROM orders",
        "SELECT CONCAT() FROM orders",
        "SELECT SUM(COUNT(*)) FROM orders",
        "SELECT MAX(SUM(amount)) FROM orders GROUP BY customer_id",
        "SELECT uppr(customer_id) FROM orders",
        "SELECT summ(amount) FROM orders",
        "SELECT frobnicate(amount) FROM orders",
        "SELECT customer_id FROM orders a JOIN orders b WITHIN 5s ON a.order_id = b.order_id",
        "SELECT c.customer_id FROM orders a",
        "SELECT orders.amount FROM orders a",
        "SELECT a.amont FROM orders a",
        "SELECT customer_id, COUNT(*) FROM orders",
        "SELECT customer_id, COUNT(*) FROM orders GROUP BY quantity",
        "SELECT *, COUNT(*) FROM orders GROUP BY quantity",
        "SELECT customer_id FROM orders HAVING amount > 1",
        "SELECT customer_id, COUNT(*) FROM orders GROUP BY customer_id HAVING amount > 1",
        "SELECT order_id FROM orders WHERE SUM(amount) > 1",
        "SELECT order_id FROM orders GROUP BY SUM(amount)",
        "SELECT order_id FROM orders WHERE customer_id",
        "SELECT order_id FROM orders WHERE amount",
        "SELECT order_id FROM orders WHERE amount = ok",
        "SELECT order_id FROM orders WHERE amount = 'abc'",
        "SELECT order_id FROM orders WHERE amount LIKE 'a%'",
        "SELECT order_id FROM orders WHERE amount AND ok",
        "SELECT order_id FROM orders WHERE NOT amount",
        "SELECT order_id FROM orders WHERE ts > 5",
        "SELECT order_id FROM orders WHERE ts > 'yesterday'",
        "SELECT order_id + 1 FROM orders",
        "SELECT order_id + customer_id FROM orders",
        "SELECT ts + 1 FROM orders",
        "SELECT ts + ts FROM orders",
        "SELECT -customer_id FROM orders",
        "SELECT ok + ok FROM orders",
        "SELECT tags + 1 FROM orders",
        "SELECT amount['a'] FROM orders",
        "SELECT tags['a'] FROM orders",
        "SELECT amount.x FROM orders",
        "SELECT CASE WHEN amount THEN 1 END FROM orders",
        "SELECT CASE WHEN ok THEN 1 ELSE 'a' END FROM orders",
        "SELECT CASE WHEN ok THEN 1 ELSE tags END FROM orders",
        "SELECT COALESCE(amount, tags) FROM orders",
        "SELECT order_id FROM orders UNION ALL SELECT order_id, amount FROM orders",
        "SELECT tags FROM orders UNION ALL SELECT amount FROM orders",
        "SELECT order_id FROM orders WHERE order_id IN (SELECT order_id, amount FROM orders)",
        "SELECT (SELECT order_id, amount FROM orders) FROM orders",
        "SELECT order_id FROM orders WHERE amount > (SELECT amount FROM orders)",
        "SELECT order_id FROM orders ORDER BY 5 LIMIT 1",
        "SELECT order_id FROM orders ORDER BY nothing LIMIT 1",
        "SELECT order_id, COUNT(*) FROM orders GROUP BY 7",
        "SELECT order_id AS a, amount AS a FROM orders",
        "SELECT order_id, order_id FROM orders",
        "SELECT LAG(amount) FROM orders",
        "SELECT ROW_NUMBER() FROM orders",
        "SELECT RANK() OVER () FROM orders",
        "SELECT LAG(amount, 'x') OVER (ORDER BY ts) FROM orders",
        "SELECT UPPER(customer_id) OVER (ORDER BY ts) FROM orders",
        "SELECT NTILE(customer_id) OVER (ORDER BY ts) FROM orders",
        "SELECT order_id FROM orders WHERE ROW_NUMBER() OVER (ORDER BY ts) = 1",
        "SELECT CAST(amount AS GEOMETRY) FROM orders",
        "SELECT CAST(tags AS BIGINT) FROM orders",
        "SELECT CAST('x' AS BIGINT) FROM orders",
        "SELECT DATE '2026-13-45' FROM orders",
        "SELECT TIMESTAMP 'soon' FROM orders",
        "SELECT INTERVAL '5' PARSEC FROM orders",
        "SELECT EXTRACT(EON FROM ts) FROM orders",
        "SELECT DATE_TRUNC('eon', ts) FROM orders",
        "SELECT DATE_TRUNC('hour', customer_id) FROM orders",
        "SELECT a.amount FROM orders a JOIN payments b WITHIN 5m ON a.order_id = b.oder_id",
        "SELECT a.amount FROM orders a JOIN payments b WITHIN 5m ON a.order_id",
        "SELECT a.amount FROM orders a JOIN payments b USING (nothing)",
        "SELECT a.amount FROM orders a, payments b",
        "SELECT a.amount FROM orders a CROSS JOIN payments b",
        "SELECT a.amount FROM orders a JOIN payments a WITHIN 5m ON a.order_id = a.order_id",
        "SELECT t.* FROM orders",
        "SELECT COUNT(DISTINCT) FROM orders",
        "SELECT COUNT(DISTINCT *) FROM orders",
        "SELECT SUM(DISTINCT customer_id) FROM orders",
        "WITH x AS (SELECT 1), x AS (SELECT 2) SELECT * FROM x",
        "WITH x(a, b) AS (SELECT order_id FROM orders) SELECT * FROM x",
        "SELECT * FROM (VALUES (1, 2), (3)) AS v",
        "SELECT * FROM (VALUES (1, 2)) AS v(a)",
        "SELECT amount FROM orders LIMIT 'a'",
        "SELECT amount FROM orders LIMIT -1",
        "SELECT amount FROM orders LIMIT quantity",
        "SELECT a.amount FROM orders a LEFT JOIN payments b ON a.order_id = b.order_id AND EXISTS (SELECT 1 FROM payments)",
        "SELECT order_id FROM orders WHERE order_id IN (1, 'a', tags)",
        "SELECT order_id FROM orders WHERE amount BETWEEN 'a' AND ok",
        "SELECT JSON_VALUE(amount, '$.a') FROM orders",
        "SELECT STRING_AGG(amount) FROM orders",
        "SELECT PERCENTILE_CONT(2) WITHIN GROUP (ORDER BY amount) FROM orders",
        "SELECT PERCENTILE_CONT('a') WITHIN GROUP (ORDER BY amount) FROM orders",
        "SELECT SPLIT_PART(customer_id, '-') FROM orders",
        "SELECT POWER(customer_id, 2) FROM orders",
        "SELECT order_id FROM orders QUALIFY amount",
        "SELECT order_id x y FROM orders",
        "SELECT COUNT(*) FROM orders WINDOW TUMBLING(amount, INTERVAL '5' MINUTE)",
        "SELECT COUNT(*) FROM orders WINDOW TUMBLING(nothing, INTERVAL '5' MINUTE)",
        "SELECT window_start FROM orders",
        "SELECT 'abc FROM orders",
        "SELECT \"abc FROM orders",
        "SELECT amount FROM orders WHERE customer_id = \"a\"",
        "SELECT amount FROM orders WHERE customer_id == 'a'",
        "SELECT amount FROM orders WHERE customer_id = 'a' && ok",
        "SELECT FIRST_VALUE(amount) OVER (ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING) FROM orders",
        "SELECT SUM(amount) FILTER (WHERE amount) FROM orders",
        "SELECT CAST(amount AS DECIMAL(99,2)) FROM orders",
        "SELECT CAST(amount AS DECIMAL(5,9)) FROM orders",
        "SELECT amount FROM orders WHERE d = 5",
        "SELECT COUNT(*) FROM orders GROUP BY customer_id EMIT FINAL WINDOW TUMBLING(1m) HAVING customer_id",
        "SELECT order_id FROM orders WHERE EXISTS (SELECT 1 FROM payments p WHERE p.order_id = orders.oder_id)",
    ];
    let mut wrong = Vec::new();
    let mut answered = 0;
    for text in mistakes.into_iter().chain(PLACED.map(|(text, _)| text)) {
        // What is no mistake after all is answered by rows.
        let Err(fault) = planned(&format!("{ORDERS}{text}")) else { continue };
        answered += 1;
        let said = format!("{} {}", fault.what, fault.next);
        if FOREIGN.iter().any(|word| said.contains(word)) || fault.what.contains('\n') {
            wrong.push(format!("{text}\n    {said}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {answered}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(answered >= 160, "{answered} mistakes are fewer than there were");
}
