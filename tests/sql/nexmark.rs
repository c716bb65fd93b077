//! Nexmark's queries over the generator's events, on one lane and on several: each comes to what a batch engine answers
//! over the same rows. `nexmark/batch/` has the batch text of a query where its own is not what a batch engine reads.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use velox::config::variables::Variables;
use velox::connectors::contract::{Columns, Connector, Context, Pull, SinkRows, SourceRequest};
use velox::connectors::file::FileConnector;
use velox::connectors::generator::GeneratorConnector;
use velox::connectors::memory::{MemoryConnector, Tables};
use velox::connectors::options::Options;
use velox::connectors::registry::Connectors;
use velox::sql::exec::job;
use velox::sql::exec::settings::JobSettings;
use velox::sql::parse::parse_with;
use velox::sql::parse::statement::StatementKind;
use velox::sql::plan::session::Session;

use crate::stage::{folded, lines};

/// Events in all: fifty seconds of event time, five windows of ten.
const EVENTS: &str = "20000";
const EVENT_RATE: &str = "400";
/// Fewer events a second: several minutes.
const SLOW_RATE: &str = "60";
/// Rows read at once from the generator.
const BATCH_ROWS: usize = 4_096;
/// Those that are there; q6 is not to be expressed.
const QUERIES: [&str; 22] = [
    "q0", "q1", "q2", "q3", "q4", "q5", "q7", "q8", "q9", "q10", "q11", "q12", "q13", "q14", "q15", "q16", "q17",
    "q18", "q19", "q20", "q21", "q22",
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql/nexmark").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The changes that a text comes to; where it writes elsewhere, none.
async fn streamed(text: &str, rate: &str, lanes: usize) -> Vec<String> {
    let tables = Tables::default();
    let connectors = Connectors::default()
        .with(Arc::new(GeneratorConnector))
        .with(Arc::new(FileConnector))
        .with(Arc::new(MemoryConnector::new(tables.clone())));
    let context = Context { kafka: None, absent: None, folder: ".".into() };
    let screen = ("memory".to_owned(), Options::default());
    let mut session = Session::new(connectors, context, Variables::default(), screen);
    let splits = lanes.to_string();
    let variable = |name: &str| match name {
        "EVENTS" => Some(EVENTS.to_owned()),
        "EVENT_RATE" => Some(rate.to_owned()),
        "SPLITS" => Some(splits.clone()),
        _ => None,
    };
    let script = parse_with(&format!("{}{text}", self::text("sources.sql")), "nexmark", &variable);
    assert!(script.errors.is_empty(), "{text}\n{:?}", script.errors);
    for statement in &script.statements {
        session.define(&statement.kind).unwrap();
        let (mut query, into) = match &statement.kind {
            StatementKind::Query(query) => (query.clone(), None),
            StatementKind::Insert { sink, query, .. } => (query.clone(), Some(sink)),
            _ => continue,
        };
        query.options.set("parallelism", &splits, None);
        let planned =
            session.plan("nexmark", &query, into, false).await.unwrap_or_else(|fault| panic!("{text}\n{fault}"));
        let settings = JobSettings::new("nexmark", text);
        let job = job::start(planned.plan, settings, &session.connectors, &session.context).await.unwrap();
        let ending = job.wait().await.unwrap_or_else(|fault| panic!("{text}\n{fault}"));
        assert_eq!((ending.bad, ending.late), (0, 0), "{text}");
    }
    lines(&tables.written("screen"))
}

/// All rows of a generated table, straight from its connector.
async fn generated(options: &[(&str, &str)]) -> (SchemaRef, Vec<RecordBatch>) {
    let request = SourceRequest { options: options.iter().copied().collect(), ..SourceRequest::default() };
    let context = Context { kafka: None, absent: None, folder: ".".into() };
    let source = GeneratorConnector.source(request, &context).await.unwrap();
    let columns = Columns { fields: (0..source.schema().fields().len()).collect(), ..Columns::default() };
    let mut batches = Vec::new();
    for split in source.splits().await.unwrap() {
        let mut reader = source.read(&split, None, &columns).await.unwrap();
        loop {
            match reader.next(BATCH_ROWS, std::time::Duration::ZERO).await.unwrap() {
                Pull::Rows(rows) => batches.push(rows.batch),
                Pull::Idle | Pull::Rest => {}
                Pull::End => break,
            }
        }
    }
    (source.schema(), batches)
}

/// A batch engine over the same tables.
async fn batch_engine(rate: &str) -> SessionContext {
    let config = SessionConfig::new().set_bool("datafusion.sql_parser.parse_float_as_decimal", true);
    let engine = SessionContext::new_with_config(config);
    let mut tables = Vec::new();
    for table in ["bid", "auction", "person"] {
        let options = [("kind", "nexmark"), ("table", table), ("events", EVENTS), ("event.rate", rate)];
        tables.push((table, generated(&options).await));
    }
    let side = [
        ("rows", "10000"),
        ("fields.key.kind", "sequence"),
        ("fields.value.kind", "sequence"),
        ("fields.value.type", "VARCHAR"),
        ("fields.value.prefix", "value "),
    ];
    tables.push(("side_input", generated(&side).await));
    for (name, (schema, batches)) in tables {
        engine.register_table(name, Arc::new(MemTable::try_new(schema, vec![batches]).unwrap())).unwrap();
    }
    engine
}

async fn batched(engine: &SessionContext, query: &str) -> Vec<String> {
    let own = file("batch").join(format!("{query}.sql"));
    let text = if own.exists() { std::fs::read_to_string(own).unwrap() } else { text(&format!("{query}.sql")) };
    // What it keeps is nothing that a batch engine asks.
    let text = text.split("\nWITH ('state.ttl'").next().unwrap_or(&text);
    let answer = engine.sql(text).await.unwrap_or_else(|error| panic!("{query}: {error}"));
    let batches = answer.collect().await.unwrap_or_else(|error| panic!("{query}: {error}"));
    let rows = batches.into_iter().map(|batch| SinkRows { times: vec![0; batch.num_rows()].into(), batch, ops: None });
    lines(&rows.collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_comes_to_what_a_batch_engine_answers() {
    let engine = batch_engine(EVENT_RATE).await;
    let mut wrong = Vec::new();
    for query in QUERIES {
        let expected = folded(&batched(&engine, query).await);
        assert!(expected.len() > 4 || query == "q15", "{query} is asked of too few events: {expected:?}");
        for lanes in [1, 3] {
            let found = folded(&streamed(&text(&format!("{query}.sql")), EVENT_RATE, lanes).await);
            if found != expected {
                let missing = expected.iter().find(|row| !found.contains(row));
                let added = found.iter().find(|row| !expected.contains(row));
                let counts = (found.len(), expected.len());
                wrong
                    .push(format!("{query}, {lanes} lanes: {counts:?} rows\n  missing {missing:?}\n  found {added:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_bids_is_in_files_by_day_and_minute() {
    let folder = tempfile::tempdir().unwrap();
    let sink = format!(
        "CREATE SINK log WITH ('connector' = 'file', 'path' = '{}/bids.csv', 'partition_by' = 'dt,hm');\nINSERT INTO log ",
        folder.path().display()
    );
    streamed(&format!("{sink}{}", text("q10.sql")), SLOW_RATE, 2).await;
    let engine = batch_engine(SLOW_RATE).await;
    let query = "SELECT to_char(date_time, '%Y-%m-%d') AS dt, to_char(date_time, '%H:%M') AS hm, COUNT(*) AS n FROM bid GROUP BY dt, hm";
    let batches = engine.sql(query).await.unwrap().collect().await.unwrap();
    let rows = batches.into_iter().map(|batch| SinkRows { times: vec![0; batch.num_rows()].into(), batch, ops: None });
    let counts = lines(&rows.collect::<Vec<_>>());
    assert_eq!(counts.len(), 6);
    for count in counts {
        let [day, minute, count] = count.split(' ').collect::<Vec<_>>()[..] else { panic!("{count}") };
        let place = folder.path().join(format!("dt={day}/hm={}", minute.replace(':', "%3A")));
        let files = std::fs::read_dir(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        let files = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let rows: usize = files.map(|file| file.lines().count() - 1).sum();
        assert_eq!(rows.to_string(), count, "{}", place.display());
    }
}
