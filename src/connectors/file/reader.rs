//! Reads one file: a named thread finds records and decodes them, an async caller takes batches. The thread ends with
//! the reader.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use async_trait::async_trait;
use jiff::Timestamp;

use super::lines::{Ends, Found, Lines};
use super::parquet::Groups;
use super::settings::{Compression, Holds, Settings, failed};
use super::source::ends_of;
use crate::connectors::contract::{
    BadRecord, Columns, Position, Pull, RawRecord, ReaderProgress, SourceRows, SplitReader, system_columns as names,
};
use crate::connectors::encoding::Format;
use crate::connectors::thread::{self, BATCH_BYTES_MAX, Handed, Hands, Orders};
use crate::core::fault::{Blame, Fault};
use crate::formats::contract::Decoder;
use crate::formats::csv::{self, CsvDecoder, Target};
use crate::kafka::admin::off_the_async_threads;

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

/// The async side.
pub(super) struct FileReader {
    hands: Hands<Worker>,
    place: (u64, u64),
    bytes: Option<(u64, u64)>,
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
        let place = job.from;
        let worker = off_the_async_threads(move || Worker::open(job).map(Box::new)).await?;
        Ok(Self { hands: Hands::of(worker), place, bytes: None })
    }
}

#[async_trait]
impl SplitReader for FileReader {
    async fn next(&mut self, rows_max: usize, wait: Duration) -> Result<Pull, Fault> {
        Ok(match self.hands.next(rows_max, wait).await? {
            Some(Handed::Rows(rows, stand)) => {
                (self.place, self.bytes) = (stand.place, Some(stand.bytes));
                Pull::Rows(rows)
            }
            Some(Handed::CaughtUp(_)) | None => Pull::Idle,
            Some(Handed::End) => Pull::End,
        })
    }

    fn position(&self) -> Position {
        Position(format!("{}:{}", self.place.0, self.place.1))
    }

    fn progress(&self) -> ReaderProgress {
        ReaderProgress { bytes: self.bytes, ..ReaderProgress::default() }
    }
}

/// How far the thread is.
struct Stand {
    place: (u64, u64),
    /// Bytes read and in all.
    bytes: (u64, u64),
}

/// The thread's side.
struct Worker {
    job: Job,
    topic: Arc<str>,
    schema: SchemaRef,
    content: Content,
}

enum Content {
    Records(Lines, Box<dyn Decoder>),
    /// A watched CSV whose first line, which names its columns, is not there yet.
    Unnamed,
    Groups(Groups),
}

impl thread::Worker for Worker {
    type Place = Stand;

    fn name(&self) -> String {
        self.job.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    fn look(&mut self, orders: &Orders) -> Result<Option<Handed<Stand>>, Fault> {
        if let Some(rows) = self.collect(orders.rows_max())? {
            let stand = Stand { place: self.place(), bytes: self.progress() };
            return Ok(Some(Handed::Rows(rows, stand)));
        }
        match self.job.watch {
            Some(interval) if !matches!(self.content, Content::Groups(_)) => {
                Self::wait(interval, orders);
                self.look_again().map(|()| None)
            }
            _ => Ok(Some(Handed::End)),
        }
    }
}

impl Worker {
    fn open(job: Job) -> Result<Self, Fault> {
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
        Ok(Self { topic, schema: Arc::new(Schema::new(columns)), content, job })
    }

    fn wait(interval: Duration, orders: &Orders) {
        let until = std::time::Instant::now() + interval;
        while std::time::Instant::now() < until && !orders.is_stopped() {
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

    fn collect(&mut self, most: usize) -> Result<Option<SourceRows>, Fault> {
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
