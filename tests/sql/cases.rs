//! Every file of `cases/`: records and SQL in, lines of JSON or a drawn error out, compared with the file `.out` beside
//! it. `VELOX_BLESS=1` writes those files; a person reads them before they are kept.
//!
//! A case begins with comments that say what there is:
//! `-- input orders [key=…] [time=MS] [delete] [header.NAME=…]: {…}` a record, `-- time orders: FIELD` takes the times of
//! records from a field, `-- split orders` and `-- batch orders` begin a partition or a batch, `-- bounded orders` says
//! that it ends, `-- variable NAME: …`; and of the output: `-- final` as the flag of `sql run`, `-- fold` the changes
//! come to a table, `-- sorted` where the order of rows is not said, `-- fail: part of the message`.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use velox::cli::Format;
use velox::cli::sql::rows::{Folded, Rows};
use velox::cli::sql::text::Source;
use velox::config::variables::Variables;
use velox::connectors::contract::{Context, SinkRows};
use velox::connectors::generator::GeneratorConnector;
use velox::connectors::memory::MemoryConnector;
use velox::connectors::options::Options;
use velox::connectors::registry::Connectors;
use velox::core::fault::Fault;
use velox::sql::exec::job;
use velox::sql::exec::settings::JobSettings;
use velox::sql::parse;
use velox::sql::parse::statement::{Diagnostic, EndName, Statement, StatementKind, StreamQuery};
use velox::sql::plan::session::Session;
use velox::sql::plan::stream::Changes;

use crate::topic::{Record, Topic, Topics};

/// Cases that run side by side: they wait for each other's tasks more than they compute.
const AT_ONCE: usize = 8;

#[derive(Default)]
struct Case {
    topics: Topics,
    variables: HashMap<String, String>,
    fails: Option<String>,
    is_final: bool,
    folds: bool,
    sorts: bool,
}

impl Case {
    fn of(text: &str) -> Self {
        let mut case = Self::default();
        let mut times: HashMap<&str, &str> = HashMap::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("-- ")) {
            let (head, rest) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
            let mut words = head.split(' ');
            match (words.next().unwrap(), words.next().unwrap_or_default()) {
                ("input", topic) => {
                    let record = record(words, rest, times.get(topic).copied(), case.records());
                    let partitions = &mut case.topic(topic).partitions;
                    if partitions.is_empty() {
                        partitions.push(vec![Vec::new()]);
                    }
                    partitions.last_mut().unwrap().last_mut().unwrap().push(record);
                }
                ("time", topic) => {
                    times.insert(topic, rest);
                }
                ("topic", topic) => case.topic(topic).partitions.push(vec![Vec::new()]),
                ("split", topic) => case.topic(topic).partitions.push(vec![Vec::new()]),
                ("batch", topic) => case.topic(topic).partitions.last_mut().unwrap().push(Vec::new()),
                ("bounded", topic) => case.topic(topic).is_bounded = true,
                ("variable", name) => {
                    case.variables.insert(name.to_owned(), rest.to_owned());
                }
                ("fail", _) => case.fails = Some(rest.to_owned()),
                ("final", "") => case.is_final = true,
                ("fold", "") => case.folds = true,
                ("sorted", "") => case.sorts = true,
                _ => {}
            }
        }
        case
    }

    fn topic(&mut self, name: &str) -> &mut Topic {
        self.topics.topics.entry(name.to_owned()).or_default()
    }

    fn records(&self) -> i64 {
        self.topics.topics.values().flat_map(|topic| topic.partitions.iter().flatten()).map(Vec::len).sum::<usize>()
            as i64
    }
}

fn record<'w>(words: impl Iterator<Item = &'w str>, value: &str, time: Option<&str>, count: i64) -> Record {
    let mut record = Record { value: value.to_owned(), time: count * 1_000, ..Record::default() };
    if let (Some(field), Ok(fields)) = (time, serde_json::from_str::<serde_json::Value>(value)) {
        record.time = fields[field].as_i64().unwrap_or(record.time);
    }
    for word in words {
        match word.split_once('=') {
            Some(("key", key)) => record.key = Some(key.to_owned()),
            Some(("time", time)) => record.time = time.parse().unwrap(),
            Some((header, value)) => {
                let name = header.strip_prefix("header.").unwrap_or_else(|| panic!("`{word}` says nothing"));
                record.headers.push((name.to_owned(), value.to_owned()));
            }
            None => {
                assert_eq!(word, "delete");
                record.is_delete = true;
            }
        }
    }
    record
}

/// What a case comes to: its lines, or the error as it is drawn.
async fn run(name: &str, text: &str) -> Result<String, String> {
    let case = Case::of(text);
    let file = format!("{name}.sql");
    let script = parse::parse_with(text, &file, &|variable| case.variables.get(variable).cloned());
    let source = Source { name: file, text: text.to_owned(), script };
    if !source.script.errors.is_empty() {
        return Err(source.script.errors.iter().map(|error| parse::render(error, text)).collect());
    }
    let mut out = String::new();
    for warning in &source.script.warnings {
        writeln!(out, "# warning: {}", warning.fault.what).unwrap();
    }
    let connectors = Connectors::default()
        .with(Arc::new(case.topics.clone()))
        .with(Arc::new(GeneratorConnector))
        .with(Arc::new(MemoryConnector::default()));
    let context = Context { kafka: None, absent: None, folder: ".".into() };
    let screen = ("kafka".to_owned(), Options::default());
    let mut session = Session::new(connectors, context, Variables::default(), screen);
    for statement in &source.script.statements {
        let drawn = |fault: Fault| draw(&source, statement, fault);
        session.define(&statement.kind).map_err(drawn)?;
        if let StatementKind::Describe { name } = &statement.kind {
            let (schema, _) = session.describe(name).await.map_err(drawn)?;
            writeln!(out, "{}", velox::formats::infer::declaration(&schema)).unwrap();
        }
        if let Some((query, into)) = moves(&source.script.statements, statement) {
            one(&case, &session, query, into, &mut out).await.map_err(drawn)?;
        }
    }
    Ok(out)
}

/// What of a statement moves rows.
fn moves<'s>(all: &[Statement], statement: &'s Statement) -> Option<(&'s StreamQuery, Option<&'s EndName>)> {
    let asks = all.iter().any(|one| {
        matches!(one.kind, StatementKind::Query(_) | StatementKind::Insert { .. } | StatementKind::Describe { .. })
    });
    match &statement.kind {
        StatementKind::Query(query) => Some((query, None)),
        StatementKind::Insert { sink, query, .. } => Some((query, Some(sink))),
        StatementKind::CreateStream(made) | StatementKind::CreateTable(made) if made.query.into.is_some() || !asks => {
            Some((&made.query, None))
        }
        _ => None,
    }
}

async fn one(
    case: &Case,
    session: &Session,
    query: &StreamQuery,
    into: Option<&EndName>,
    out: &mut String,
) -> Result<(), Fault> {
    let planned = session.plan("case", query, into, case.is_final).await?;
    for warning in &planned.warnings {
        writeln!(out, "# warning: {warning}").unwrap();
    }
    let end = planned.plan.nodes.last().unwrap();
    let (schema, changes) = (end.schema.clone(), end.changes == Changes::Changelog);
    case.topics.written.lock().unwrap().clear();
    let job = job::start(planned.plan, JobSettings::new("case", ""), &session.connectors, &session.context).await?;
    let ending = job.wait().await?;
    let written = case.topics.written.lock().unwrap().clone();
    let mut bytes = Vec::new();
    let folds = changes && (case.is_final || case.folds);
    let mut rows = Rows::new(&schema, changes && !folds, Format::Json, None);
    let write = |rows: &mut Rows, given: &SinkRows, bytes: &mut Vec<u8>| {
        rows.write(given, u64::MAX, bytes).unwrap_or_else(|failure| panic!("{failure:?}"));
    };
    let mut folded = Folded::default();
    for (_, given) in &written {
        if folds {
            folded.take(given).unwrap_or_else(|failure| panic!("{failure:?}"));
        } else {
            write(&mut rows, given, &mut bytes);
        }
    }
    if let Some(table) = folded.table().unwrap_or_else(|failure| panic!("{failure:?}")) {
        let times = vec![0; table.num_rows()].into();
        write(&mut rows, &SinkRows { batch: table, times, ops: None }, &mut bytes);
    }
    if let Some((request, _)) = written.first().filter(|(request, _)| request.name != "screen") {
        let key: Vec<_> = request.key.iter().map(|column| request.schema.field(*column).name().as_str()).collect();
        writeln!(out, "# to {}, key ({}){}", request.name, key.join(", "), if changes { ", changes" } else { "" })
            .unwrap();
    }
    let text = String::from_utf8(bytes).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    if case.sorts {
        lines.sort_unstable();
    }
    for line in lines {
        writeln!(out, "{line}").unwrap();
    }
    let failures = job.statistics().borrow().failures.clone();
    for bad in failures.sample.iter().filter(|bad| bad.class != "late") {
        writeln!(out, "# bad {} {}: {}", bad.stage, bad.class, bad.message).unwrap();
    }
    for (what, count) in
        [("late", ending.late), ("by zero", ending.by_zero)].into_iter().filter(|(_, count)| *count > 0)
    {
        writeln!(out, "# {what} {count}").unwrap();
    }
    Ok(())
}

fn draw(source: &Source, statement: &Statement, fault: Fault) -> String {
    let fault = source.placed(fault, statement.span.start);
    let mut span = source.span_of(&fault).unwrap_or(statement.span);
    // A whole statement is underlined at its first line.
    let length = source.text[span.start..span.end].find('\n').unwrap_or(span.end - span.start);
    span.end = span.start + length;
    parse::render(&Diagnostic { span, fault }, &source.text)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql/cases")
}

async fn check(path: PathBuf, blesses: bool) -> Option<String> {
    let text = std::fs::read_to_string(&path).unwrap();
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let own = name.clone();
    let owned = text.clone();
    let outcome = tokio::task::spawn(async move {
        let patience = std::time::Duration::from_secs(60);
        tokio::time::timeout(patience, run(&own, &owned)).await.expect("a case ends")
    });
    let fails = Case::of(&text).fails;
    let found = match (outcome.await, &fails) {
        (Err(panic), _) => return Some(format!("{name}: {panic}")),
        (Ok(Ok(found)), None) => found,
        (Ok(Ok(found)), Some(part)) => return Some(format!("{name} runs, and must not: {part}\n{found}")),
        (Ok(Err(found)), Some(part)) if found.contains(part.as_str()) => found,
        (Ok(Err(found)), Some(part)) => return Some(format!("{name} fails without `{part}`:\n{found}")),
        (Ok(Err(found)), None) => return Some(format!("{name} fails:\n{found}")),
    };
    let golden = path.with_extension("out");
    if blesses {
        std::fs::write(golden, found).unwrap();
        return None;
    }
    let expected = std::fs::read_to_string(golden).unwrap_or_else(|_| "(there is no .out file)\n".to_owned());
    (found != expected).then(|| format!("{name}\nexpected:\n{expected}found:\n{found}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cases_come_to_what_is_written_beside_them() {
    let blesses = std::env::var_os("VELOX_BLESS").is_some();
    let only = std::env::var("VELOX_CASE").unwrap_or_default();
    let mut paths: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.retain(|path| path.to_string_lossy().contains(&only));
    paths.sort();
    let count = paths.len();
    let wrong: Vec<String> = futures::stream::iter(paths)
        .map(|path| check(path, blesses))
        .buffered(AT_ONCE)
        .filter_map(|wrong| async move { wrong })
        .collect()
        .await;
    assert!(wrong.is_empty(), "{} of {count} cases:\n\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 545 || !only.is_empty() || blesses, "{count} cases are fewer than there were");
}
