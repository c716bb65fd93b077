//! A place where queries run: sources whose rows a test gives, sinks whose rows it reads, a planner over both.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use velox::config::variables::Variables;
use velox::connectors::contract::{
    BadRow, Columns, Connector, Context, Op, Parameter, Position, Pull, RawRecord, ReaderProgress, Sink, SinkRequest,
    SinkRows, Source, SourceRequest, SourceRows, Split, SplitReader,
};
use velox::connectors::memory::{MemoryConnector, Tables};
use velox::connectors::options::Options;
use velox::connectors::registry::Connectors;
use velox::core::fault::{Blame, Fault};
use velox::sql::exec::job::{self, Job};
use velox::sql::exec::settings::JobSettings;
use velox::sql::parse::parse;
use velox::sql::parse::statement::StatementKind;
use velox::sql::plan::session::Session;
use velox::sql::plan::stream::StreamPlan;

/// Rows of a test's table: a key, a number as text (it may be none), a time in milliseconds.
#[derive(Debug, Clone)]
pub struct Row(pub &'static str, pub String, pub i64);

/// A table whose splits are given batch by batch, with a pause before each, and begin anew where a checkpoint left them.
#[derive(Clone, Default)]
pub struct Paced(Arc<Mutex<HashMap<String, Table>>>);

#[derive(Clone)]
struct Table {
    splits: Vec<Arc<Vec<Vec<Row>>>>,
    pause: Duration,
    end: End,
    /// Splits that the first look finds; later ones find all.
    at_first: usize,
    looks: Arc<AtomicUsize>,
}

/// Whether rows end, and whether the planner is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Told,
    Untold,
    Never,
}

impl Paced {
    pub fn put(&self, name: &str, splits: Vec<Vec<Vec<Row>>>, pause: Duration, is_bounded: bool) {
        self.put_ending(name, splits, pause, if is_bounded { End::Told } else { End::Never });
    }

    pub fn put_ending(&self, name: &str, splits: Vec<Vec<Vec<Row>>>, pause: Duration, end: End) {
        let splits: Vec<_> = splits.into_iter().map(Arc::new).collect();
        let (at_first, looks) = (splits.len(), Arc::default());
        self.0.lock().unwrap().insert(name.into(), Table { splits, pause, end, at_first, looks });
    }

    /// A table that never ends, of which all splits but the first are found later. Answers with how often it was looked.
    pub fn put_growing(&self, name: &str, splits: Vec<Vec<Vec<Row>>>) -> Arc<AtomicUsize> {
        self.put_ending(name, splits, Duration::ZERO, End::Never);
        let mut tables = self.0.lock().unwrap();
        let table = tables.get_mut(name).unwrap();
        table.at_first = 1;
        Arc::clone(&table.looks)
    }
}

fn columns() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("v", DataType::Utf8, true),
        Field::new("t", DataType::Int64, true),
    ]))
}

#[async_trait]
impl Connector for Paced {
    fn name(&self) -> &'static str {
        "paced"
    }
    fn help(&self) -> &'static str {
        "rows of a test"
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
        let table = self.0.lock().unwrap().get(&request.name).cloned();
        let table = table.ok_or_else(|| Fault::new(Blame::Operator, format!("no table `{}`", request.name)))?;
        Ok(Arc::new(PacedSource { name: request.name, table }))
    }
    async fn sink(&self, _: SinkRequest, _: &Context) -> Result<Box<dyn Sink>, Fault> {
        Err(Fault::new(Blame::Operator, "only read from"))
    }
}

struct PacedSource {
    name: String,
    table: Table,
}

#[async_trait]
impl Source for PacedSource {
    fn schema(&self) -> SchemaRef {
        columns()
    }
    fn system_columns(&self) -> &'static [&'static str] {
        &[]
    }
    fn is_bounded(&self) -> bool {
        self.table.end == End::Told
    }
    fn grows(&self) -> bool {
        self.table.end == End::Never
    }
    fn description(&self) -> String {
        self.name.clone()
    }
    async fn splits(&self) -> Result<Vec<Split>, Fault> {
        let is_first = self.table.looks.fetch_add(1, Ordering::SeqCst) == 0;
        let found = if is_first { self.table.at_first } else { self.table.splits.len() };
        Ok((0..found).map(|split| Split(split.to_string())).collect())
    }
    fn beginning(&self, _: &Split) -> Option<Position> {
        Some(Position("0".into()))
    }
    async fn has_more(&self, parts: &[(Split, Option<Position>)]) -> Vec<bool> {
        let next = |position: &Option<Position>| position.as_ref().map_or(0, |position| position.0.parse().unwrap());
        let batches = |split: &Split| self.table.splits[split.0.parse::<usize>().unwrap()].len();
        parts.iter().map(|(split, position)| next(position) < batches(split)).collect()
    }
    async fn read(
        &self,
        split: &Split,
        from: Option<&Position>,
        columns: &Columns,
    ) -> Result<Box<dyn SplitReader>, Fault> {
        let number: usize = split.0.parse().unwrap();
        // As a topic that is read from its newest records on: what appears later must be asked for from its first.
        let begins = if number < self.table.at_first { 0 } else { self.table.splits[number].len() };
        Ok(Box::new(PacedReader {
            topic: self.name.as_str().into(),
            partition: number as i32,
            batches: Arc::clone(&self.table.splits[number]),
            next: from.map_or(begins, |position| position.0.parse().unwrap()),
            columns: columns.clone(),
            table: self.table.clone(),
        }))
    }
}

struct PacedReader {
    topic: Arc<str>,
    partition: i32,
    batches: Arc<Vec<Vec<Row>>>,
    next: usize,
    columns: Columns,
    table: Table,
}

#[async_trait]
impl SplitReader for PacedReader {
    async fn next(&mut self, _rows_max: usize, wait: Duration) -> Result<Pull, Fault> {
        let Some(rows) = self.batches.get(self.next) else {
            if self.table.end != End::Never {
                return Ok(Pull::End);
            }
            tokio::time::sleep(wait).await;
            return Ok(Pull::Idle);
        };
        // The pace of the source, not a wait for anybody.
        tokio::time::sleep(self.table.pause).await;
        let offset = self.batches[..self.next].iter().map(Vec::len).sum::<usize>() as i64;
        self.next += 1;
        let all: [ArrayRef; 3] = [
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.1))),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2))),
        ];
        let schema = Arc::new(columns().project(&self.columns.fields).unwrap());
        let picked = self.columns.fields.iter().map(|index| Arc::clone(&all[*index])).collect();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let origins = self.columns.origins.then(|| {
            let record = |(index, row): (usize, &Row)| RawRecord {
                topic: Arc::clone(&self.topic),
                partition: self.partition,
                offset: offset + index as i64,
                timestamp_ms: Some(row.2),
                key: Some(row.0.as_bytes().to_vec()),
                value: Some(row.1.as_bytes().to_vec()),
                headers: Vec::new(),
            };
            Arc::new(rows.iter().enumerate().map(record).collect())
        });
        Ok(Pull::Rows(SourceRows {
            batch: RecordBatch::try_new_with_options(schema, picked, &options).unwrap(),
            times: rows.iter().map(|row| row.2).collect(),
            ops: None,
            origins,
            bad: Vec::new(),
            skipped: 0,
            bytes: rows.len() as u64,
        }))
    }
    fn position(&self) -> Position {
        Position(self.next.to_string())
    }
    fn progress(&self) -> ReaderProgress {
        ReaderProgress::default()
    }
}

/// Everything that queries of a test need.
pub struct Stage {
    pub paced: Paced,
    pub tables: Tables,
    pub state: tempfile::TempDir,
}

impl Stage {
    pub fn new() -> Self {
        Self { paced: Paced::default(), tables: Tables::default(), state: tempfile::tempdir().unwrap() }
    }

    fn session(&self) -> Session {
        let connectors = Connectors::default()
            .with(Arc::new(self.paced.clone()))
            .with(Arc::new(MemoryConnector::new(self.tables.clone())));
        let context = Context { kafka: None, absent: None, folder: self.state.path().into() };
        Session::new(connectors, context, Variables::default(), ("memory".into(), Options::default()))
    }

    /// The plan of the last query of a text; what it writes is the memory table `out`.
    pub async fn plan(&self, sql: &str) -> StreamPlan {
        let mut session = self.session();
        let script = parse(sql, "test");
        assert!(script.errors.is_empty(), "{:?}", script.errors);
        let mut last = None;
        for statement in &script.statements {
            session.define(&statement.kind).unwrap();
            if let StatementKind::Query(query) = &statement.kind {
                last = Some(query.clone());
            }
        }
        let query = last.expect("a text has a query");
        session.plan("job", &query, None, false).await.unwrap_or_else(|fault| panic!("{sql}\n{fault}")).plan
    }

    pub async fn try_start(&self, sql: &str, settings: JobSettings) -> Result<Job, Fault> {
        let plan = self.plan(sql).await;
        let session = self.session();
        job::start(plan, settings, &session.connectors, &session.context).await
    }

    pub async fn start(&self, sql: &str, settings: JobSettings) -> Job {
        self.try_start(sql, settings).await.unwrap_or_else(|fault| panic!("{sql}\n{fault}"))
    }

    /// A job that remembers nothing, to its end.
    pub async fn run(&self, sql: &str) -> Vec<String> {
        let job = self.start(sql, JobSettings::new("job", sql)).await;
        job.wait().await.unwrap_or_else(|fault| panic!("{sql}\n{fault}"));
        self.written("screen")
    }

    /// A job that remembers in this stage's folder, often.
    pub fn remembering(&self, sql: &str) -> JobSettings {
        JobSettings::new("job", sql).remembering(self.state.path()).every(Duration::from_millis(5))
    }

    /// The rows of a collecting sink, each as text, in order.
    pub fn written(&self, table: &str) -> Vec<String> {
        lines(&self.tables.written(table))
    }
}

/// Rows as text, with what happens to them.
pub fn lines(written: &[SinkRows]) -> Vec<String> {
    let mut lines = Vec::new();
    for rows in written {
        let options = FormatOptions::default().with_null("NULL");
        let columns: Vec<_> =
            rows.batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..rows.batch.num_rows() {
            let values: Vec<_> = columns.iter().map(|column| column.value(row).to_string()).collect();
            let sign = match rows.ops.as_ref().filter(|ops| ops.len() > row).map(|ops| Op::of(ops.value(row))) {
                None => "",
                Some(Op::Insert) => "+",
                Some(Op::Delete) => "-",
                Some(Op::UpdateBefore) => "-u ",
                Some(Op::UpdateAfter) => "+u ",
            };
            lines.push(format!("{sign}{}", values.join(" ")));
        }
    }
    lines
}

pub fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// What a changelog comes to: each row as often as it was added more than taken back.
pub fn folded(lines: &[String]) -> Vec<String> {
    let mut counts: HashMap<&str, i64> = HashMap::new();
    for line in lines {
        let (change, row) = match line.split_at(1) {
            ("+", rest) => (1, rest.strip_prefix("u ").unwrap_or(rest)),
            ("-", rest) => (-1, rest.strip_prefix("u ").unwrap_or(rest)),
            _ => (1, line.as_str()),
        };
        *counts.entry(row).or_default() += change;
    }
    let left = counts.into_iter().filter(|(_, count)| *count != 0).map(|(row, count)| format!("{row} x{count}"));
    sorted(left.collect())
}

/// What a system remembers that can take back what was not committed, as Kafka's transactions do: after a restart only
/// what was committed is there, and the sink says up to which checkpoint.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<LedgerState>>);

#[derive(Default)]
struct LedgerState {
    visible: Vec<SinkRows>,
    epoch: u64,
    /// Fails at the commit of this epoch, once: the moment after the manifest is written.
    fails_at: Option<u64>,
}

impl Ledger {
    pub fn sink(&self) -> Box<dyn Sink> {
        Box::new(LedgerSink { ledger: self.clone(), open: Vec::new() })
    }
    pub fn fail_at(&self, epoch: u64) {
        self.0.lock().unwrap().fails_at = Some(epoch);
    }
    pub fn lines(&self) -> Vec<String> {
        lines(&self.0.lock().unwrap().visible)
    }
    pub fn epoch(&self) -> u64 {
        self.0.lock().unwrap().epoch
    }
}

struct LedgerSink {
    ledger: Ledger,
    open: Vec<SinkRows>,
}

#[async_trait]
impl Sink for LedgerSink {
    async fn open(&mut self) -> Result<Option<u64>, Fault> {
        Ok(Some(self.ledger.epoch()))
    }
    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        self.open.push(rows);
        Ok(Vec::new())
    }
    async fn prepare(&mut self, epoch: u64) -> Result<Option<String>, Fault> {
        Ok(Some(epoch.to_string()))
    }
    async fn commit(&mut self, epoch: u64, _: &str) -> Result<(), Fault> {
        let mut ledger = self.ledger.0.lock().unwrap();
        if ledger.fails_at.take_if(|at| *at <= epoch).is_some() {
            return Err(Fault::new(Blame::Connection, "the coordinator of the transaction has gone"));
        }
        ledger.visible.append(&mut self.open);
        ledger.epoch = epoch;
        Ok(())
    }
}
