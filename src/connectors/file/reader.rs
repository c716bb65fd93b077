//! Reads one file: a named thread finds records and decodes them, an async caller takes batches. The thread ends with
//! the reader.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::lines::{Ends, Found, Lines};
use super::parquet::Groups;
use super::settings::{Compression, Holds, Settings, failed};
use super::source::ends_of;
use crate::connectors::contract::{
    BATCH_ROWS_MAX, BadRecord, Columns, Position, Pull, RawRecord, ReaderProgress, SourceRows, SplitReader,
    system_columns as names,
};
use crate::connectors::encoding::Format;
use crate::core::fault::{Blame, Fault};
use crate::formats::contract::Decoder;
use crate::formats::csv::{self, CsvDecoder, Target};
use crate::kafka::admin::off_the_async_threads;

/// Batches that wait for the caller. Two keep both sides busy; more is only memory.
const BATCHES_WAITING: usize = 2;
/// Bytes of one batch: a few large records must not become 8,192 of them.
const BATCH_BYTES_MAX: u64 = 8 << 20;
/// How long the thread sleeps at once at the end of a watched file: the delay of an ending.
const NAP: Duration = Duration::from_millis(50);

/// One file, and how to read it.
pub(super) struct Job {
    pub settings: Arc<Settings>,
    pub path: PathBuf,
    pub schema: SchemaRef,
    pub columns: Columns,
    /// Bytes and lines, or row groups and rows, that were read before.
    pub from: (u64, u64),
    pub watch: Option<Duration>,
}

/// What the thread hands over.
enum Handed {
    Rows { rows: SourceRows, place: (u64, u64), bytes: (u64, u64) },
    End,
    Broken(Fault),
}

/// The async side.
pub(super) struct FileReader {
    /// Until the first batch is asked for: only then it is known how many rows one may have.
    worker: Option<Box<Worker>>,
    inbox: mpsc::Receiver<Handed>,
    is_stopped: Arc<AtomicBool>,
    rows_max: Arc<AtomicUsize>,
    place: (u64, u64),
    bytes: Option<(u64, u64)>,
    is_over: bool,
}

/// The place that a position says.
pub(super) fn parse(position: &Position, file: &str) -> Result<(u64, u64), Fault> {
    position
        .0
        .split_once(':')
        .and_then(|(first, second)| Some((first.parse().ok()?, second.parse().ok()?)))
        .ok_or_else(|| Fault::new(Blame::Program, format!("`{}` is no position in {file}", position.0)))
}

/// Records of a file behind a place; how they end is seen at its beginning.
pub(super) fn lines(settings: &Settings, path: &Path, offset: u64, line: u64) -> Result<Lines, Fault> {
    let Holds::Records(format) = &settings.holds else {
        return Err(Fault::new(Blame::Program, "Parquet has no lines"));
    };
    let compression = settings.compression_of(path);
    let mut lines = Lines::open(path, compression, Ends::Lines, offset, line)?;
    let ends = match (format, offset) {
        (Format::Json | Format::Debezium, 1..) => ends_of(format, &Lines::open(path, compression, Ends::Lines, 0, 0)?),
        _ => ends_of(format, &lines),
    };
    lines.set_ends(ends);
    Ok(lines)
}

impl FileReader {
    pub async fn open(job: Job) -> Result<Self, Fault> {
        let (_, inbox) = mpsc::channel(1);
        let is_stopped = Arc::new(AtomicBool::new(false));
        let rows_max = Arc::new(AtomicUsize::new(BATCH_ROWS_MAX));
        let (stop, most) = (is_stopped.clone(), rows_max.clone());
        let place = job.from;
        let worker = off_the_async_threads(move || Worker::open(job, stop, most).map(Box::new)).await?;
        Ok(Self { worker: Some(worker), inbox, is_stopped, rows_max, place, bytes: None, is_over: false })
    }

    fn start(&mut self, worker: Box<Worker>) -> Result<(), Fault> {
        let (outbox, inbox) = mpsc::channel(BATCHES_WAITING);
        self.inbox = inbox;
        let name = worker.job.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        std::thread::Builder::new()
            .name(format!("velox-read-{name}"))
            .spawn(move || worker.run(&outbox))
            .map(drop)
            .map_err(|error| Fault::new(Blame::Program, format!("could not start a reader: {error}")))
    }
}

#[async_trait]
impl SplitReader for FileReader {
    async fn next(&mut self, rows_max: usize, wait: Duration) -> Result<Pull, Fault> {
        if self.is_over {
            return Ok(Pull::End);
        }
        self.rows_max.store(rows_max.max(1), Ordering::Relaxed);
        if let Some(worker) = self.worker.take() {
            self.start(worker)?;
        }
        let Ok(handed) = tokio::time::timeout(wait, self.inbox.recv()).await else { return Ok(Pull::Idle) };
        match handed {
            Some(Handed::Rows { rows, place, bytes }) => {
                (self.place, self.bytes) = (place, Some(bytes));
                Ok(Pull::Rows(rows))
            }
            Some(Handed::End) => {
                self.is_over = true;
                Ok(Pull::End)
            }
            Some(Handed::Broken(fault)) => {
                self.is_over = true;
                Err(fault)
            }
            None => Err(Fault::new(Blame::Program, "the thread of a reader has ended without a word")),
        }
    }

    fn position(&self) -> Position {
        Position(format!("{}:{}", self.place.0, self.place.1))
    }

    fn progress(&self) -> ReaderProgress {
        ReaderProgress { bytes: self.bytes, lag: None }
    }
}

impl Drop for FileReader {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Release);
    }
}

/// The thread's side.
struct Worker {
    job: Job,
    topic: Arc<str>,
    schema: SchemaRef,
    content: Content,
    is_stopped: Arc<AtomicBool>,
    rows_max: Arc<AtomicUsize>,
}

enum Content {
    Records(Lines, Box<dyn Decoder>),
    /// A watched CSV whose first line, which names its columns, is not there yet.
    Unnamed,
    Groups(Groups),
}

impl Worker {
    fn open(job: Job, is_stopped: Arc<AtomicBool>, rows_max: Arc<AtomicUsize>) -> Result<Self, Fault> {
        let fields = &job.columns.fields;
        let wanted: SchemaRef = job
            .schema
            .project(fields)
            .map_err(|error| Fault::new(Blame::Program, format!("a column that is not there: {error}")))?
            .into();
        let content = match &job.settings.holds {
            Holds::Parquet => {
                let place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
                Content::Groups(Groups::open(&job.path, &wanted, place(job.from.0), place(job.from.1))?)
            }
            Holds::Records(format) => records(&job, format, &wanted)?,
        };
        let mut columns: Vec<_> = wanted.fields().iter().cloned().collect();
        columns.extend(job.columns.system.iter().filter_map(|name| names::field(name).map(Arc::new)));
        let topic: Arc<str> = job.path.to_string_lossy().into();
        Ok(Self { topic, schema: Arc::new(Schema::new(columns)), content, is_stopped, rows_max, job })
    }

    fn run(mut self: Box<Self>, outbox: &mpsc::Sender<Handed>) {
        while !self.is_stopped.load(Ordering::Acquire) {
            let handed = match self.collect() {
                Ok(Some(rows)) => Handed::Rows { rows, place: self.place(), bytes: self.progress() },
                Ok(None) => match self.job.watch {
                    Some(interval) if !matches!(self.content, Content::Groups(_)) => {
                        self.wait(interval);
                        match self.look_again() {
                            Ok(()) => continue,
                            Err(fault) => Handed::Broken(fault),
                        }
                    }
                    _ => Handed::End,
                },
                Err(fault) => Handed::Broken(fault),
            };
            let is_last = !matches!(handed, Handed::Rows { .. });
            // Waits while the caller is busy: that is the backpressure. Fails when the reader is gone.
            if outbox.blocking_send(handed).is_err() || is_last {
                return;
            }
        }
    }

    fn wait(&self, interval: Duration) {
        let until = std::time::Instant::now() + interval;
        while std::time::Instant::now() < until && !self.is_stopped.load(Ordering::Acquire) {
            std::thread::sleep(NAP.min(interval));
        }
    }

    /// A compressed file has to be opened again to see what was added to it; so does a file that became shorter, which
    /// is another file under the same name.
    fn look_again(&mut self) -> Result<(), Fault> {
        let Holds::Records(format) = &self.job.settings.holds else { return Ok(()) };
        let length = match self.job.path.metadata() {
            Ok(metadata) => metadata.len(),
            // It was taken away: what is left is what was read.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("look at", &self.job.path, &error)),
        };
        let place = match &self.content {
            Content::Records(lines, _) => lines.place(),
            _ => (0, 0),
        };
        let compression = self.job.settings.compression_of(&self.job.path);
        let is_another = compression == Compression::None && length < place.0;
        if is_another {
            tracing::warn!(file = &*self.topic, "the file became shorter: it is read from its beginning");
        }
        if is_another || compression != Compression::None || matches!(self.content, Content::Unnamed) {
            self.job.from = if is_another { (0, 0) } else { place };
            let wanted: SchemaRef = self
                .job
                .schema
                .project(&self.job.columns.fields)
                .map_err(|error| Fault::new(Blame::Program, error.to_string()))?
                .into();
            self.content = records(&self.job, format, &wanted)?;
        }
        Ok(())
    }

    fn place(&self) -> (u64, u64) {
        match &self.content {
            Content::Records(lines, _) => lines.place(),
            Content::Unnamed => (0, 0),
            Content::Groups(groups) => groups.place(),
        }
    }

    fn progress(&self) -> (u64, u64) {
        if let Content::Groups(groups) = &self.content {
            return groups.progress();
        }
        let size = self.job.path.metadata().map_or(0, |metadata| metadata.len());
        let read = self.place().0;
        // Of a compressed file the place counts its text; how much of the file that is nobody knows.
        if self.job.settings.compression_of(&self.job.path) == Compression::None { (read, size) } else { (0, size) }
    }

    fn collect(&mut self) -> Result<Option<SourceRows>, Fault> {
        let most = self.rows_max.load(Ordering::Relaxed);
        let now = Timestamp::now().as_millisecond();
        let is_final = self.job.watch.is_none();
        let (columns, system) = (&self.job.columns, &self.job.columns.system);
        let (lines, decoder) = match &mut self.content {
            Content::Unnamed => return Ok(None),
            Content::Groups(groups) => {
                let first = groups.row_number();
                let Some(batch) = groups.next(most)? else { return Ok(None) };
                let count = batch.num_rows();
                let numbers: Vec<i64> = (first..).take(count).collect();
                let bytes = batch.columns().iter().map(|column| column.get_buffer_memory_size() as u64).sum();
                let all = self.schema.clone();
                let batch = with_system(&all, batch, system, &self.topic, &numbers)?;
                let times = ScalarBuffer::from(vec![now; count]);
                return Ok(Some(SourceRows { batch, times, ops: None, origins: None, bad: Vec::new(), bytes }));
            }
            Content::Records(lines, decoder) => (lines, decoder),
        };
        let begun = lines.place().0;
        let (mut numbers, mut origins, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        let raw = |found: &Found, bytes: &[u8]| RawRecord {
            topic: self.topic.clone(),
            partition: 0,
            offset: i64::try_from(found.line).unwrap_or(i64::MAX),
            timestamp_ms: None,
            key: None,
            value: Some(bytes.to_vec()),
            headers: Vec::new(),
        };
        let per_record = if matches!(self.job.settings.holds, Holds::Records(Format::Debezium)) { 2 } else { 1 };
        while (numbers.len() + 1) * per_record <= most.max(per_record) && lines.place().0 - begun < BATCH_BYTES_MAX {
            let Some(found) = lines.next(is_final)? else { break };
            let bytes = lines.bytes(&found);
            numbers.push(i64::try_from(found.line).unwrap_or(i64::MAX));
            if !decoder.push(Some(bytes)) {
                bad.push(raw(&found, bytes));
            }
            if columns.origins {
                origins.push(raw(&found, bytes));
            }
        }
        if numbers.is_empty() {
            return Ok(None);
        }
        let decoded = decoder.finish()?;
        let bad = bad.into_iter().zip(decoded.bad).map(|(record, said)| BadRecord {
            record,
            stage: "decode",
            class: said.class,
            message: said.message,
        });
        let bad = bad.collect();
        if let Some(sources) = &decoded.sources {
            numbers = sources.iter().map(|source| numbers[*source as usize]).collect();
            if columns.origins {
                origins = sources.iter().map(|source| origins[*source as usize].clone()).collect();
            }
        }
        let bytes = lines.place().0 - begun;
        let all = self.schema.clone();
        let batch = with_system(&all, decoded.batch, system, &self.topic, &numbers)?;
        Ok(Some(SourceRows {
            times: ScalarBuffer::from(vec![now; numbers.len()]),
            batch,
            ops: decoded.ops,
            origins: columns.origins.then(|| Arc::new(origins)),
            bad,
            bytes,
        }))
    }
}

/// The records of a file behind the job's place, and their decoder.
fn records(job: &Job, format: &Format, wanted: &SchemaRef) -> Result<Content, Fault> {
    let fields = &job.columns.fields;
    let (offset, line) = job.from;
    let mut lines = lines(&job.settings, &job.path, offset, line)?;
    let Format::Csv(dialect) = format else {
        return Ok(Content::Records(lines, format.decoder(&job.schema, fields)?));
    };
    if !job.settings.header {
        return Ok(Content::Records(lines, format.decoder(&job.schema, fields)?));
    }
    let mut beginning = None;
    let head = if offset == 0 { &mut lines } else { beginning.insert(self::lines(&job.settings, &job.path, 0, 0)?) };
    let Some(found) = head.next(job.watch.is_none())? else {
        // An empty file has no columns and no rows.
        if job.watch.is_none() {
            return Ok(Content::Records(lines, format.decoder(&job.schema, fields)?));
        }
        return Ok(Content::Unnamed);
    };
    let names = csv::split(head.bytes(&found), dialect).map_err(|bad| {
        Fault::new(Blame::Operator, format!("{}:1: the header cannot be read: {}", job.path.display(), bad.message))
    })?;
    let targets = targets(&names, &job.schema, fields, &job.path)?;
    let decoder = CsvDecoder::with_targets(wanted.clone(), targets, dialect.clone())?;
    Ok(Content::Records(lines, Box::new(decoder)))
}

/// Where each field of a line goes, by the names of the header.
fn targets(names: &[(String, bool)], schema: &SchemaRef, fields: &[usize], path: &Path) -> Result<Vec<Target>, Fault> {
    let place = |column: &str| {
        let is_same = |(name, _): &(String, bool)| name.trim() == column;
        let is_alike = |(name, _): &(String, bool)| name.trim().eq_ignore_ascii_case(column);
        names.iter().position(is_same).or_else(|| names.iter().position(is_alike))
    };
    let mut targets = vec![Target::Nowhere; names.len()];
    for (index, field) in schema.fields().iter().enumerate() {
        let Some(at) = place(field.name()) else {
            let header: Vec<_> = names.iter().map(|(name, _)| name.trim()).collect();
            let what = format!("{}:1: the header does not name the column `{}`", path.display(), field.name());
            return Err(Fault::new(Blame::Operator, what)
                .next(format!("it names {}; set `header` = false where the first line is a row", header.join(", "))));
        };
        if let Some(column) = fields.iter().position(|field| *field == index) {
            targets[at] = Target::Column(column);
        }
    }
    Ok(targets)
}

fn with_system(
    schema: &SchemaRef,
    batch: RecordBatch,
    system: &[&'static str],
    topic: &str,
    numbers: &[i64],
) -> Result<RecordBatch, Fault> {
    let count = batch.num_rows();
    let mut columns = batch.columns().to_vec();
    columns.extend(system.iter().map(|name| -> ArrayRef {
        match *name {
            names::TOPIC => Arc::new(StringArray::from(vec![topic; count])),
            names::PARTITION => Arc::new(Int32Array::from(vec![0; count])),
            names::OFFSET => Arc::new(Int64Array::from(numbers.to_vec())),
            other => {
                let data_type = names::field(other).map_or(DataType::Null, |field| field.data_type().clone());
                new_null_array(&data_type, count)
            }
        }
    }));
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .map_err(|error| Fault::new(Blame::Program, format!("columns of {topic}: {error}")))
}
