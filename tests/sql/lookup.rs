//! Streams that look into tables of others: read again while the job runs, kept where that fails, bounded, the same on any
//! number of lanes and after a restart.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use velox::config::variables::Variables;
use velox::connectors::contract::Context;
use velox::connectors::file::FileConnector;
use velox::connectors::memory::{MemoryConnector, Tables};
use velox::connectors::options::Options;
use velox::connectors::registry::Connectors;
use velox::core::fault::Fault;
use velox::sql::exec::job::{self, Job};
use velox::sql::exec::settings::JobSettings;
use velox::sql::exec::statistics::LookupStatistics;
use velox::sql::parse::parse;
use velox::sql::parse::statement::{EndName, StatementKind};
use velox::sql::plan::picture;
use velox::sql::plan::session::Session;
use velox::sql::plan::stream::StreamPlan;

use crate::stage::{lines, sorted};

/// Longer than anything here takes on a machine that compiles.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with files, and a stream that a test writes to.
struct Desk {
    folder: tempfile::TempDir,
    tables: Tables,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), tables: Tables::default() }
    }

    /// A file that is whole from its first moment.
    fn write(&self, name: &str, text: &str) {
        let hidden = self.folder.path().join(".not yet whole");
        std::fs::write(&hidden, text).unwrap();
        std::fs::rename(hidden, self.folder.path().join(name)).unwrap();
    }

    fn session(&self) -> Session {
        let connectors = Connectors::default()
            .with(Arc::new(FileConnector))
            .with(Arc::new(MemoryConnector::new(self.tables.clone())));
        let context = Context { kafka: None, absent: None, folder: self.folder.path().into() };
        Session::new(connectors, context, Variables::default(), ("memory".into(), Options::default()))
    }

    async fn plan(&self, sql: &str) -> StreamPlan {
        let mut session = self.session();
        let script = parse(sql, "test");
        assert!(script.errors.is_empty(), "{:?}", script.errors);
        for statement in &script.statements {
            session.define(&statement.kind).unwrap();
            if let StatementKind::Query(query) = &statement.kind {
                return session.plan("job", query, None, false).await.unwrap_or_else(|fault| panic!("{fault}")).plan;
            }
        }
        panic!("a text has a query")
    }

    async fn try_start(&self, sql: &str, settings: JobSettings) -> Result<Job, Fault> {
        let plan = self.plan(sql).await;
        let session = self.session();
        job::start(plan, settings, &session.connectors, &session.context).await
    }

    async fn start(&self, sql: &str) -> Job {
        self.try_start(sql, JobSettings::new("job", sql)).await.unwrap_or_else(|fault| panic!("{sql}\n{fault}"))
    }

    /// What was written, once there are as many rows.
    async fn written(&self, rows: usize) -> Vec<String> {
        let written = tokio::time::timeout(PATIENCE, self.tables.written_rows("screen", rows)).await;
        lines(&written.expect("as many rows come"))
    }
}

fn asks() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false), Field::new("code", DataType::Utf8, true)]))
}

fn ask(id: i64, code: &str) -> velox::connectors::contract::SinkRows {
    let columns: Vec<Arc<dyn arrow::array::Array>> =
        vec![Arc::new(Int64Array::from(vec![id])), Arc::new(StringArray::from(vec![code]))];
    let batch = RecordBatch::try_new(asks(), columns).unwrap();
    velox::connectors::contract::SinkRows { batch, times: vec![id].into(), ops: None }
}

/// What the one lookup of a job has counted, once that is as is wished.
async fn counted(job: &Job, is_it: impl Fn(&LookupStatistics) -> bool) -> LookupStatistics {
    let mut statistics = job.statistics();
    let of = |now: &velox::sql::exec::statistics::Statistics| now.operators.iter().find_map(|one| one.lookup.clone());
    let found = statistics.wait_for(|now| of(now).is_some_and(|lookup| is_it(&lookup)));
    let found = tokio::time::timeout(PATIENCE, found).await.expect("it is counted").unwrap().clone();
    of(&found).unwrap()
}

const SOURCES: &str = "CREATE SOURCE asks (id BIGINT, code VARCHAR) WITH ('connector' = 'memory');
    CREATE SOURCE names (code VARCHAR, name VARCHAR) WITH ('connector' = 'file', 'path' = 'names.csv',
      'lookup.cache' = 'full', 'lookup.full-cache.periodic-reload.interval' = '100ms');
    SELECT a.id, n.name FROM asks a LEFT JOIN names n ON a.code = n.code";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_is_read_again_and_the_stream_goes_on() {
    let desk = Desk::new();
    desk.write("names.csv", "code,name\nde,Germany\n");
    let stream = desk.tables.pipe("asks", &asks()).unwrap();
    let job = desk.start(SOURCES).await;
    stream.send(ask(1, "de")).await.unwrap();
    stream.send(ask(2, "fr")).await.unwrap();
    assert_eq!(desk.written(2).await, ["1 Germany", "2 NULL"]);
    let before = counted(&job, |now| now.hits + now.misses == 2).await;
    assert_eq!((before.hits, before.misses, before.rows), (1, 1, 1));

    desk.write("names.csv", "code,name\nde,Deutschland\nfr,France\n");
    let after = counted(&job, |now| now.rows == 2).await;
    assert!(after.readings > 1 && after.failures == 0, "{after:?}");
    stream.send(ask(3, "de")).await.unwrap();
    stream.send(ask(4, "fr")).await.unwrap();
    assert_eq!(desk.written(4).await[2..], ["3 Deutschland", "4 France"]);
    drop(stream);
    job.wait().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_fails_leaves_what_was_there_and_the_next_one_mends_it() {
    let desk = Desk::new();
    desk.write("names.csv", "code,name\nde,Germany\n");
    let stream = desk.tables.pipe("asks", &asks()).unwrap();
    let job = desk.start(SOURCES).await;
    std::fs::remove_file(desk.folder.path().join("names.csv")).unwrap();
    let failed = counted(&job, |now| now.failures >= 2).await;
    assert_eq!(failed.rows, 1);
    stream.send(ask(1, "de")).await.unwrap();
    assert_eq!(desk.written(1).await, ["1 Germany"]);

    desk.write("names.csv", "code,name\nde,Germany\nfr,France\n");
    counted(&job, |now| now.rows == 2).await;
    stream.send(ask(2, "fr")).await.unwrap();
    assert_eq!(desk.written(2).await[1..], ["2 France"]);
    drop(stream);
    job.wait().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_memory_and_files_of_a_folder_are_as_they_are_now() {
    let desk = Desk::new();
    std::fs::create_dir(desk.folder.path().join("names")).unwrap();
    desk.write("names/one.csv", "code,name\nde,Germany\n");
    let schema = Arc::new(Schema::new(vec![Field::new("name", DataType::Utf8, true)]));
    let put = |name: &str| {
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(StringArray::from(vec![name]))]);
        desk.tables.put("liked", Arc::clone(&schema), vec![batch.unwrap()]);
    };
    put("Germany");
    let stream = desk.tables.pipe("asks", &asks()).unwrap();
    let sql = SOURCES.replace("names.csv'", "names', 'format' = 'csv'").replace(
        "SELECT a.id, n.name",
        "CREATE SOURCE liked WITH ('connector' = 'memory', 'lookup.cache' = 'full',
           'lookup.full-cache.periodic-reload.interval' = '100ms');
         SELECT a.id, n.name, l.name AS liked",
    ) + " LEFT JOIN liked l ON n.name = l.name";
    let job = desk.start(&sql).await;
    desk.write("names/two.csv", "code,name\nfr,France\n");
    put("France");
    let mut statistics = job.statistics();
    let reread = statistics.wait_for(|now| {
        let lookups: Vec<_> = now.operators.iter().filter_map(|one| one.lookup.as_ref()).collect();
        lookups.iter().all(|lookup| lookup.readings > 2) && lookups.iter().any(|lookup| lookup.rows == 2)
    });
    tokio::time::timeout(PATIENCE, reread).await.expect("both are read again").unwrap();
    stream.send(ask(1, "de")).await.unwrap();
    stream.send(ask(2, "fr")).await.unwrap();
    assert_eq!(desk.written(2).await, ["1 Germany NULL", "2 France France"]);
    drop(stream);
    job.wait().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_does_not_fit_ends_the_job_before_its_first_row_with_what_to_do() {
    let desk = Desk::new();
    let rows: String = (0..20_000).map(|row| format!("{row},a name of some length {row}\n")).collect();
    desk.write("names.csv", &format!("code,name\n{rows}"));
    let _stream = desk.tables.pipe("asks", &asks()).unwrap();
    let mut settings = JobSettings::new("job", SOURCES);
    settings.state_bytes_max = 500_000;
    let fault = desk.try_start(SOURCES, settings).await.err().expect("it does not fit");
    assert!(fault.what.starts_with("the lookup table `names` does not fit: "), "{fault}");
    assert!(fault.next.contains("'state.limit'"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_grows_past_the_limit_stays_as_it_was() {
    let desk = Desk::new();
    desk.write("names.csv", "code,name\n7,seven\n");
    let stream = desk.tables.pipe("asks", &asks()).unwrap();
    let mut settings = JobSettings::new("job", SOURCES);
    settings.state_bytes_max = 500_000;
    let job = desk.try_start(SOURCES, settings).await.unwrap();
    let rows: String = (0..20_000).map(|row| format!("{row},a name of some length {row}\n")).collect();
    desk.write("names.csv", &format!("code,name\n{rows}"));
    let failed = counted(&job, |now| now.failures > 0).await;
    assert_eq!(failed.rows, 1);
    stream.send(ask(1, "7")).await.unwrap();
    assert_eq!(desk.written(1).await, ["1 seven"]);
    drop(stream);
    job.wait().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_says_what_is_looked_into_and_what_it_came_to() {
    let desk = Desk::new();
    desk.write("names.csv", "code,name\nde,Germany\n");
    let stream = desk.tables.pipe("asks", &asks()).unwrap();
    let plan = desk.plan(SOURCES).await;
    let tree = picture::tree(&plan);
    let keeps = "(the right whole in memory and read again every 100 ms, as of processing; in no checkpoint)";
    let line = format!("LookupJoin: left join on code = code {keeps}\n");
    assert!(tree.contains(&line), "{tree}");
    assert!(tree.contains("├─ Source: read asks\n") && tree.contains("└─ Source: read names\n"), "{tree}");
    let mut session = desk.session();
    parse(SOURCES, "test").statements.iter().for_each(|statement| session.define(&statement.kind).unwrap());
    let (_, about) = session.describe(&EndName::Name("names".into())).await.unwrap();
    assert!(about.ends_with("; whole in memory and read again every 100 ms"), "{about}");
    let job = desk.start(SOURCES).await;
    stream.send(ask(1, "de")).await.unwrap();
    stream.send(ask(2, "fr")).await.unwrap();
    drop(stream);
    job.wait().await.unwrap();
    let measured = picture::measured(&plan, &job.statistics().borrow());
    let line = measured.lines().find(|line| line.contains("LookupJoin")).unwrap();
    assert!(line.contains("[2 in, 2 out, "), "{measured}");
    assert!(line.contains(", cache 1 rows ") && line.contains(", hits 1, misses 1, readings "), "{measured}");
    assert_eq!(job.statistics().borrow().rows_read(), 2, "rows of the stream, not of the table");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_any_number_of_lanes_a_table_is_held_once_and_gives_the_same() {
    let mut all = Vec::new();
    for lanes in [1, 3] {
        let desk = Desk::new();
        let names: String = (0..500).map(|row| format!("{row},name {row}\n")).collect();
        desk.write("names.csv", &format!("code,name\n{names}"));
        for file in 0..4 {
            let rows: String = (0..1_000).map(|row| format!("{},{}\n", file * 1_000 + row, row)).collect();
            desk.write(&format!("asks-{file}.csv"), &format!("id,code\n{rows}"));
        }
        let sql = SOURCES.replace("'memory'", "'file', 'path' = 'asks-*.csv'");
        let job = desk.start(&format!("{sql} WITH ('parallelism' = '{lanes}')")).await;
        job.wait().await.unwrap();
        let statistics = job.statistics().borrow().clone();
        let lookup = statistics.operators.iter().find(|one| one.lookup.is_some()).unwrap();
        assert_eq!(lookup.instances, lanes);
        let counts = lookup.lookup.clone().unwrap();
        assert_eq!((counts.rows, counts.hits, counts.misses), (500, 2_000, 2_000));
        all.push((counts.bytes, sorted(lines(&desk.tables.written("screen")))));
    }
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0].1.len(), 4_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_goes_on_reads_its_table_anew_for_no_checkpoint_holds_it() {
    let desk = Desk::new();
    desk.write("names.csv", "code,name\nde,Germany\n");
    let remembering = || JobSettings::new("job", SOURCES).remembering(desk.folder.path());
    let stream = desk.tables.pipe("asks", &asks()).unwrap();
    let job = desk.try_start(SOURCES, remembering()).await.unwrap();
    stream.send(ask(1, "de")).await.unwrap();
    assert_eq!(desk.written(1).await, ["1 Germany"]);
    job.stop_with_savepoint().await.unwrap();
    let checkpoints = std::fs::read_dir(desk.folder.path().join("job/checkpoints")).unwrap();
    let newest = checkpoints.map(|entry| entry.unwrap().path()).max().unwrap();
    let manifest = std::fs::read(newest.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let operators = manifest["operators"].as_array().unwrap();
    assert!(operators.iter().all(|one| one["tables"].as_array().unwrap().is_empty()), "{manifest:#}");
    drop((job, stream));

    desk.write("names.csv", "code,name\nde,Deutschland\n");
    let stream = desk.tables.pipe("asks", &asks()).unwrap();
    let job = desk.try_start(SOURCES, remembering()).await.unwrap();
    assert!(job.messages().iter().any(|message| message.contains("goes on from checkpoint")), "{:?}", job.messages());
    stream.send(ask(2, "de")).await.unwrap();
    assert_eq!(desk.written(2).await[1..], ["2 Deutschland"]);
    drop(stream);
    job.wait().await.unwrap();
}
