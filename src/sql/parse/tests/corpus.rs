//! Every statement that the requirements print, kept letter by letter in `tests/sql/documents`, and what other engines' users type.

use std::path::Path;

use super::*;

/// Texts by the name of their file.
pub(super) fn printed() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql/documents");
    let mut texts: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    texts.sort();
    texts
}

/// Statements of other engines, as their manuals have them.
pub(super) const FOREIGN: &[&str] = &[
    "CREATE TABLE possible_fraud WITH (KAFKA_TOPIC='fraud', VALUE_FORMAT='JSON') AS SELECT card_number, count(*) FROM authorization_attempts \
     WINDOW TUMBLING (SIZE 5 SECONDS, RETENTION 7 DAYS, GRACE PERIOD 30 MINUTES) GROUP BY card_number HAVING count(*) > 3 EMIT CHANGES;",
    "SELECT o.order_id, p.payment_id FROM orders o INNER JOIN payments p WITHIN (1 HOUR, 2 HOURS) GRACE PERIOD 10 MINUTES ON p.order_id = o.order_id EMIT CHANGES;",
    "CREATE STREAM pageviews (viewtime BIGINT, user_id VARCHAR KEY, page_id VARCHAR) WITH (KAFKA_TOPIC = 'pageviews', VALUE_FORMAT = 'JSON');",
    "SELECT window_start, window_end, SUM(price) AS total_price FROM TABLE(HOP(TABLE Bid, DESCRIPTOR(bidtime), INTERVAL '5' MINUTES, INTERVAL '10' MINUTES)) GROUP BY window_start, window_end;",
    "CREATE TABLE user_actions (user_name STRING, data STRING, user_action_time AS PROCTIME()) WITH ('connector' = 'kafka', 'properties.bootstrap.servers' = 'h:9092');",
    "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY category ORDER BY sales DESC) AS row_num FROM ShopSales) WHERE row_num <= 5;",
    "SELECT order_id, price, orders.currency, conversion_rate FROM orders LEFT JOIN currency_rates FOR SYSTEM_TIME AS OF orders.order_time ON orders.currency = currency_rates.currency;",
    "SELECT TUMBLE_START(order_time, INTERVAL '1' DAY) AS d, user, SUM(amount) FROM Orders GROUP BY TUMBLE(order_time, INTERVAL '1' DAY), user;",
    "CREATE MATERIALIZED VIEW mv AS SELECT window_start, window_end, count(trip_id) AS no_of_trips FROM TUMBLE (taxi_trips, completed_at, INTERVAL '2 MINUTES') GROUP BY window_start, window_end ORDER BY window_start ASC;",
    "SELECT avg(bid.price) AS avg_price, hop(interval '2 seconds', interval '10 seconds') AS window FROM nexmark WHERE bid IS NOT NULL GROUP BY window;",
    "INSERT INTO sink SELECT auction, bidder, 0.908 * price AS price, dateTime FROM bid;",
];

#[test]
fn every_printed_statement_parses() {
    let texts = printed();
    let (mut count, mut warned) = (0, 0);
    for (name, text) in &texts {
        let lookup = |_: &str| None;
        let script = parse_with(text, name, &lookup);
        assert!(script.errors.is_empty(), "{name}\n{}", shown(&script.errors, text));
        // The documents show annotations that nothing reads yet; that is the only thing to say against their statements.
        let (unread, odd): (Vec<_>, Vec<_>) =
            script.warnings.into_iter().partition(|warning| warning.fault.what.starts_with("nothing reads `@"));
        assert!(odd.is_empty(), "{name}\n{}", shown(&odd, text));
        warned += unread.len();
        count += script.statements.len();
    }
    assert_eq!((texts.len(), count), (17, 21));
    assert!(warned > 0, "the documents show metrics, and nothing collects them");
}

#[test]
fn what_other_engines_print_parses() {
    for text in FOREIGN {
        let script = parse(text, "foreign.sql");
        assert!(script.errors.is_empty(), "{}", shown(&script.errors, text));
        assert_eq!(script.statements.len(), 1, "{text}");
    }
}

#[test]
fn a_stream_without_a_name_is_called_as_its_sink() {
    let text = &printed().into_iter().find(|(name, _)| name == "streaming_sql_engine_0185.sql").unwrap().1;
    let StatementKind::CreateStream(stream) = one(text).kind else { panic!("no stream") };
    assert_eq!(stream.name, "data");
}
