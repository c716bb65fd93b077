//! Every statement that the requirements print, planned on real Kafka letter by letter: only where the broker and the
//! files are is put in their place. What they name and do not print (records, tables, two of the configuration files) is
//! here.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use rdkafka::config::ClientConfig;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::broker::{PATIENCE, committed, fresh, kafka};

/// Topics that the statements read, with a record each.
const TOPICS: [(&str, &str); 11] = [
    ("events", r#"{"event_time":"2026-01-01T00:00:00Z","latency":12.5}"#),
    ("topic", r#"{"id":1}"#),
    ("orders", ORDER),
    ("orders_input", ORDER),
    ("order_queues", r#"{"exchange":"X","order_type":"limit","queue_size":3}"#),
    ("processing_events", r#"{"exchange":"X","latency_seconds":0.25}"#),
    (
        "market_data",
        r#"{"symbol":"A","exchange":"X","price":12.5,"avg_price":12.0,"volume":100,"event_time":"2026-01-01T00:00:00Z"}"#,
    ),
    ("customers", r#"{"customer_id":"c-1","customer_name":"Ann"}"#),
    ("positions", r#"{"trader_id":"t-1","symbol":"A","position_size":5,"avg_cost":11.25}"#),
    ("high_volume_stocks", r#"{"symbol":"A"}"#),
    ("active_traders", r#"{"trader_id":"t-1","status":"ACTIVE"}"#),
];
const ORDER: &str = r#"{"order_id":"o-1","customer_id":"c-1","product_id":"p-1","amount":120.5,"price":12.05,"quantity":10,"commission_rate":0.0125}"#;

/// Trades, the last of which looks back on a loss within the hour: trader, symbol, pnl, minutes.
const TRADES: [(&str, &str, i64, i64); 4] =
    [("t-1", "A", 10, 0), ("t-1", "B", -60_000, 30), ("t-2", "A", 90_000, 40), ("t-1", "A", 5, 80)];

/// Tables that the statements join with, which no statement declares.
const TABLES: [(&str, &str); 2] = [
    (
        "positions_table",
        "CREATE TABLE positions_table (trader_id VARCHAR PRIMARY KEY, symbol VARCHAR PRIMARY KEY, position_size BIGINT, \
         avg_cost DECIMAL(18, 2)) WITH ('topic' = 'positions');",
    ),
    (
        "customers_table",
        "CREATE TABLE customers_table (customer_id VARCHAR PRIMARY KEY, customer_name VARCHAR) WITH ('topic' = 'customers');",
    ),
];

/// Configuration files: the first two are printed.
const CONFIGURATIONS: [(&str, &str); 7] = [
    (
        "kafka_source.yaml",
        "type: kafka_source\nbrokers: localhost:9092\ntopic: orders\nformat: json\nschema_registry: http://localhost:8081\n",
    ),
    ("file_sink.yaml", "type: file_sink\nformat: jsonl\ncompression: gzip\n"),
    ("kafka_sink.yaml", "type: kafka_sink\nbrokers: localhost:9092\n"),
    ("file_source.yaml", "type: file_source\nformat: csv\nheader: true\n"),
    ("postgres_source.yaml", "type: postgresql_source\n"),
    ("postgres_table.yaml", "type: postgresql_source\n"),
    ("clickhouse_sink.yaml", "type: clickhouse_sink\n"),
];

/// What is not in this build, by the file that names it.
const LATER: [(&str, &[&str]); 2] = [
    ("data_sources_0225.sql", &["clickhouse", "postgresql", "postgresql"]),
    ("streaming_sql_engine_0324.sql", &["postgresql", "postgresql"]),
];

/// A folder with the statements and everything that they name.
fn place(address: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    let moved = |text: &str| {
        text.replace("localhost:9092", address)
            .replace("file:///output/", &format!("file://{}/", at("output").display()))
            .replace("'/output/", &format!("'{}/", at("output").display()))
            .replace("'/data/input/", &format!("'{}/", at("input").display()))
    };
    for below in ["config/environments", "input", "output", "sql"] {
        std::fs::create_dir_all(at(below)).unwrap();
    }
    let environment = format!("environment: real\nkafka:\n  bootstrap_servers: \"{address}\"\n");
    std::fs::write(at("config/environments/real.yaml"), environment).unwrap();
    for (name, text) in CONFIGURATIONS {
        std::fs::write(at("config").join(name), moved(text)).unwrap();
    }
    std::fs::write(at("input/orders.csv"), "order_id,amount\no-1,120.50\n").unwrap();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql/documents")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let tables: String = TABLES.iter().filter(|(name, _)| text.contains(name)).map(|(_, table)| *table).collect();
        std::fs::write(at("sql").join(path.file_name().unwrap()), format!("{tables}{}", moved(&text))).unwrap();
    }
    folder
}

fn fill(address: &str) {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
    for (topic, record) in TOPICS {
        producer.send(BaseRecord::<(), _>::to(topic).payload(record)).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_velox-tui"));
    command.args(arguments).args(["-E", "real"]).current_dir(folder).env("XDG_STATE_HOME", folder.join("xdg"));
    command.stdin(Stdio::null());
    command
}

#[test]
fn every_printed_statement_plans() {
    let Some(address) = kafka() else { return };
    fill(&address);
    let topic = trades(&address);
    let folder = place(&address);
    for name in ["streaming_sql_engine_0861.sql", "streaming_sql_engine_0906.sql"] {
        let path = folder.path().join("sql").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("'trades'", &format!("'{topic}'"))).unwrap();
    }
    let output = command(folder.path(), &["sql", "validate", "sql", "--format", "json"]).output().unwrap();
    let answers: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), 17, "{}", String::from_utf8_lossy(&output.stderr));
    let mut wrong = Vec::new();
    for answer in answers {
        let name = Path::new(answer["file"].as_str().unwrap()).file_name().unwrap().to_string_lossy().into_owned();
        let errors: Vec<&str> =
            answer["errors"].as_array().unwrap().iter().map(|error| error["what"].as_str().unwrap()).collect();
        let later = LATER.iter().find(|(file, _)| *file == name).map_or(&[][..], |(_, systems)| systems);
        let is_later = errors.len() == later.len()
            && errors.iter().zip(later).all(|(what, system)| {
                what.contains(&format!("`{system}`")) && what.contains("is not available in this build")
            });
        if !is_later {
            wrong.push(format!("{name}: {errors:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_printed_risk_analysis_runs() {
    let Some(address) = kafka() else { return };
    fill(&address);
    let (trades, alerts) = (trades(&address), fresh("risk-alerts"));
    let folder = place(&address);
    let path = folder.path().join("sql/streaming_sql_engine_0906.sql");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("'trades'", &format!("'{trades}'")).replace("'risk-alerts'", &format!("'{alerts}'"));
    std::fs::write(&path, text.replace("'risk-analysis'", &format!("'{}'", fresh("risk-analysis")))).unwrap();
    let arguments = ["sql", "run", "sql/streaming_sql_engine_0906.sql", "--state-dir", "state"];
    let mut job = command(folder.path(), &arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // The last of the rows waits for the watermark, which waits until partitions without records are idle.
    let deadline = Instant::now() + PATIENCE;
    let rows = loop {
        let rows = committed(&address, &alerts);
        if rows.len() >= 3 || Instant::now() > deadline || job.try_wait().unwrap().is_some() {
            break rows;
        }
    };
    let _ = job.kill();
    let said = String::from_utf8_lossy(&job.wait_with_output().unwrap().stderr).into_owned();
    let mut rows: Vec<(String, String, bool)> = rows
        .iter()
        .map(|row| {
            let row: serde_json::Value = serde_json::from_slice(row.payload().unwrap()).unwrap();
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            assert_eq!(row["trader_id"], "t-1", "{row}");
            (text("symbol"), text("risk_category"), row["is_high_volume"].as_bool().unwrap())
        })
        .collect();
    rows.sort();
    let row = |symbol: &str, risk: &str, is_high| (symbol.to_owned(), risk.to_owned(), is_high);
    let expected = [row("A", "HIGH_RISK", true), row("A", "NORMAL", true), row("B", "HIGH_RISK", false)];
    assert_eq!(rows, expected, "{said}");
}

/// A topic of trades.
fn trades(address: &str) -> String {
    let topic = fresh("trades");
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
    let begin_ms = jiff::Timestamp::now().as_millisecond() - 7_200_000;
    for (trader, symbol, pnl, minute) in TRADES {
        let time_ms = begin_ms + minute * 60_000;
        let time = jiff::Timestamp::from_millisecond(time_ms).unwrap();
        let record = format!(
            r#"{{"trader_id":"{trader}","symbol":"{symbol}","price":10.5,"quantity":2,"pnl":{pnl},"notional_value":21.0,"event_time":"{time}"}}"#
        );
        let record = BaseRecord::to(&topic).key(trader).payload(&record).timestamp(time_ms).partition(0);
        producer.send(record).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    topic
}
