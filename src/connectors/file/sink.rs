//! Files as a sink. Rows gather in hidden files; a flush or a commit publishes them: the first under its own name, what
//! follows behind it, or in files of their own where they are to be rolled or are Parquet.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;

use super::leftovers;
use super::partition::Partition;
use super::segment::{Finished, Segment, ends_its_line, fitting};
use super::settings::{Compression, Holds, Settings};
use super::target::{Names, Target, same_header};
use crate::connectors::contract::{BadRow, CREATED, Context, Sink, SinkRequest, SinkRows};
use crate::connectors::encoding::{Format, schema_with_ops, with_ops};
use crate::connectors::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::formats::contract::{Encoded, Encoder};
use crate::formats::csv::CsvEncoder;
use crate::kafka::admin::off_the_async_threads;

/// Files that are written at once: each holds a buffer. Past it the largest is finished.
const OPEN_FILES_MAX: usize = 64;
/// How long rows of Parquet wait for others where neither a checkpoint nor `roll.interval` ends their file: each file has
/// a footer and is opened by whoever reads them, so that one for each moment of quiet would be a plague.
const PARQUET_WAITS: Duration = Duration::from_secs(10);

/// Rows of Parquet between two looks at the size of a file that is to be rolled: a page holds more.
const PARQUET_ROWS: usize = 512;

/// A file, or a family of them.
pub(super) struct FileSink {
    settings: Settings,
    /// Columns as they are written, without those of the partitions.
    schema: SchemaRef,
    partition: Partition,
    encoder: Option<Box<dyn Encoder>>,
    header: Option<Vec<u8>>,
    shows_ops: bool,
    roll_bytes: Option<u64>,
    roll_time: Option<Duration>,
    overwrites: bool,
    exactly_once: bool,
    job: String,
    /// By the folder of the partition, relative to that of the path.
    open: HashMap<PathBuf, Open>,
    /// Ended since the last checkpoint.
    finished: Vec<Finished>,
    /// In a checkpoint, and not committed yet.
    prepared: Vec<Finished>,
    /// Counts hidden files, so that no two have one name.
    made: u64,
    names: Names,
    /// Targets of this run: what was replaced once is added to from then on.
    begun: HashMap<PathBuf, Target>,
    /// Whether what a killed run of this job left behind is gone.
    is_tidy: bool,
}

struct Open {
    segment: Segment,
    since: Instant,
}

impl FileSink {
    pub fn new(request: &SinkRequest, options: &Options, context: &Context) -> Result<Self, Fault> {
        let settings = Settings::of(options, &request.name, context)?;
        if super::listing::is_pattern(&settings.path) {
            return Err(
                options.fault("path", format!("{} is a pattern, and a sink writes one file", settings.path.display()))
            );
        }
        let format = match &settings.holds {
            Holds::Records(format) => Some(format.clone()),
            Holds::Parquet => None,
        };
        let encoder = format.as_ref().map(Format::encoder);
        let shows_ops = request.changes && !encoder.as_ref().is_some_and(|encoder| encoder.carries_changes());
        let whole = if shows_ops { schema_with_ops(&request.schema) } else { request.schema.clone() };
        let partition = Partition::of(options, &whole, &request.name)?;
        let settings = if partition.is_whole() { settings } else { settings.partitioned() };
        let schema: SchemaRef = whole
            .project(partition.kept())
            .map_err(|error| Fault::new(Blame::Program, format!("a column that is not there: {error}")))?
            .into();
        if encoder.as_ref().is_some_and(|encoder| encoder.carries_changes()) && !partition.is_whole() {
            return Err(
                options.fault("partition.by", "envelopes of changes are not partitioned: their order would be lost")
            );
        }
        let overwrites = options.get("mode").is_some_and(|mode| mode.eq_ignore_ascii_case("overwrite"));
        if overwrites && request.exactly_once {
            let fault = options.fault("mode", "a file that is replaced cannot be written exactly once");
            return Err(fault.next("use `mode` = 'append', or at_least_once"));
        }
        let header = match &format {
            Some(Format::Csv(dialect)) if settings.header => {
                let mut header = CsvEncoder::new(dialect.clone()).header(&schema);
                header.push(b'\n');
                Some(header)
            }
            _ => None,
        };
        Ok(Self {
            names: Names::new(settings.path.clone(), overwrites),
            settings,
            schema,
            partition,
            encoder,
            header,
            shows_ops,
            roll_bytes: options.bytes("roll.size")?.filter(|bytes| *bytes > 0),
            roll_time: options.duration("roll.interval")?,
            overwrites,
            exactly_once: request.exactly_once,
            job: request.job.clone(),
            open: HashMap::new(),
            finished: Vec::new(),
            prepared: Vec::new(),
            made: 0,
            begun: HashMap::new(),
            is_tidy: false,
        })
    }

    fn put(&mut self, folder: &Path, batch: &RecordBatch, bad: &mut Vec<BadRow>) -> Result<(), Fault> {
        if let Some(encoder) = &mut self.encoder {
            let encoded = encoder.encode(batch)?;
            bad.extend(encoded.bad.iter().map(|bad| BadRow {
                row: bad.record as usize,
                class: bad.class,
                message: bad.message.clone(),
            }));
            return self.put_lines(folder, &encoded);
        }
        let portion = if self.roll_bytes.is_some() { PARQUET_ROWS } else { batch.num_rows() };
        for first in (0..batch.num_rows()).step_by(portion.max(1)) {
            let rows = batch.slice(first, portion.min(batch.num_rows() - first));
            self.opened(folder)?.segment.write_rows(&rows)?;
        }
        Ok(())
    }

    fn put_lines(&mut self, folder: &Path, encoded: &Encoded) -> Result<(), Fault> {
        let mut first = 0;
        while first < encoded.ends.len() {
            self.opened(folder)?;
            let room = self.roll_bytes.map(|most| most.saturating_sub(self.bytes_of(folder)));
            let (next, lines) = fitting(&encoded.bytes, &encoded.ends, first, room);
            self.opened(folder)?.segment.write(&lines)?;
            first = next;
        }
        Ok(())
    }

    /// The file of a folder, another one where the one before is full.
    fn opened(&mut self, folder: &Path) -> Result<&mut Open, Fault> {
        if self.is_due(folder) {
            self.finish(folder)?;
            self.begun.remove(folder);
        }
        if !self.open.contains_key(folder) {
            self.begin(folder)?;
        }
        self.open.get_mut(folder).ok_or_else(|| Fault::new(Blame::Program, "a file that was not begun"))
    }

    /// Bytes of a folder's file, those that are still to be published among them.
    fn bytes_of(&self, folder: &Path) -> u64 {
        let written = self.open.get(folder).map_or(0, |open| open.segment.written());
        self.begun.get(folder).map_or(0, |target| target.bytes) + written
    }

    /// Whether the file of a folder is to be followed by another one.
    fn is_due(&self, folder: &Path) -> bool {
        let Some(target) = self.begun.get(folder) else { return false };
        let bytes = self.bytes_of(folder);
        let is_full = self.roll_bytes.is_some_and(|most| bytes >= most);
        let is_old = self.roll_time.is_some_and(|most| target.since.elapsed() >= most);
        (is_full || is_old) && bytes > 0
    }

    fn begin(&mut self, folder: &Path) -> Result<(), Fault> {
        if self.open.len() >= OPEN_FILES_MAX {
            let largest =
                self.open.iter().max_by_key(|(_, open)| open.segment.written()).map(|(folder, _)| folder.clone());
            if let Some(largest) = largest {
                self.finish(&largest)?;
            }
        }
        let rolls = self.roll_bytes.is_some() || self.roll_time.is_some();
        let is_parquet = self.settings.holds == Holds::Parquet;
        let known = self.begun.get(folder).filter(|_| !is_parquet).cloned();
        let is_first = known.is_none();
        let mut target = match known {
            Some(target) => target,
            None => Target { path: self.names.next(folder, rolls || is_parquet), bytes: 0, since: Instant::now() },
        };
        if is_first && !self.overwrites {
            target.bytes = target.path.metadata().map_or(0, |metadata| metadata.len());
        }
        let behind = (target.bytes > 0).then_some(target.bytes);
        let hidden = self.hidden(&target.path);
        let segment = if is_parquet {
            Segment::parquet(hidden, target.path.clone(), self.schema.clone(), self.settings.pages.as_deref())?
        } else {
            let compression = self.settings.compression_of(&self.settings.path);
            let mut segment = Segment::text(hidden, target.path.clone(), behind, compression)?;
            let is_added_to = is_first && !self.overwrites && behind.is_some();
            if let (Some(header), Holds::Records(Format::Csv(dialect))) = (&self.header, &self.settings.holds)
                && is_added_to
                && compression == Compression::None
            {
                same_header(&target.path, header, dialect)?;
            }
            if is_added_to && compression == Compression::None && !ends_its_line(&target.path)? {
                segment.write(b"\n")?;
            }
            if let Some(header) = self.header.as_ref().filter(|_| behind.is_none()) {
                segment.write(header)?;
            }
            segment
        };
        self.begun.insert(folder.to_owned(), target);
        self.open.insert(folder.to_owned(), Open { segment, since: Instant::now() });
        Ok(())
    }

    /// Ends the file of a folder; it waits to be published.
    fn finish(&mut self, folder: &Path) -> Result<(), Fault> {
        if let Some(open) = self.open.remove(folder) {
            let finished = open.segment.finish()?;
            self.note(folder, finished);
        }
        Ok(())
    }

    fn hidden(&mut self, target: &Path) -> PathBuf {
        self.made += 1;
        let name = target.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        target.with_file_name(leftovers::hidden_name(&name, &self.job, self.made))
    }

    /// Takes away what a killed run of this job has left. Not before the checkpoint that the job goes on from has had
    /// what it asks for: the first row, barrier or end comes after that.
    async fn tidy(&mut self) -> Result<(), Fault> {
        if std::mem::replace(&mut self.is_tidy, true) {
            return Ok(());
        }
        let (path, job, depth) = (self.settings.path.clone(), self.job.clone(), self.partition.depth());
        let gone = off_the_async_threads(move || leftovers::remove(&path, &job, depth)).await?;
        if gone > 0 {
            tracing::info!("took away {gone} unfinished files that an earlier run of {} had left", self.job);
        }
        Ok(())
    }

    /// Ends files, oldest first, off the async threads: making rows durable takes its time.
    async fn finish_these(&mut self, mut open: Vec<(PathBuf, Open)>) -> Result<(), Fault> {
        open.sort_by_key(|(_, open)| open.since);
        let finished = off_the_async_threads(move || {
            open.into_iter()
                .map(|(folder, open)| Ok((folder, open.segment.finish()?)))
                .collect::<Result<Vec<_>, Fault>>()
        })
        .await?;
        for (folder, finished) in finished {
            self.note(&folder, finished);
        }
        Ok(())
    }

    /// The files that no row is to be added to.
    fn take_due(&mut self) -> Vec<(PathBuf, Open)> {
        let waits = self.roll_time.unwrap_or(PARQUET_WAITS);
        let is_due = |folder: &PathBuf, open: &Open| open.since.elapsed() >= waits || self.is_due(folder);
        let due = self.open.iter().filter(|entry| is_due(entry.0, entry.1));
        let due: Vec<PathBuf> = due.map(|(folder, _)| folder.clone()).collect();
        due.iter().filter_map(|folder| self.open.remove_entry(folder)).collect()
    }

    async fn finish_all(&mut self) -> Result<(), Fault> {
        let open = self.open.drain().collect();
        self.finish_these(open).await
    }

    fn note(&mut self, folder: &Path, finished: Finished) {
        if let Some(target) = self.begun.get_mut(folder) {
            target.bytes += finished.bytes;
        }
        self.finished.push(finished);
    }

    async fn publish(&mut self) -> Result<(), Fault> {
        self.finish_all().await?;
        self.publish_finished().await
    }

    async fn publish_finished(&mut self) -> Result<(), Fault> {
        let finished = std::mem::take(&mut self.finished);
        let publish = |finished: &Finished| {
            finished.note()?;
            finished.publish()
        };
        off_the_async_threads(move || finished.iter().try_for_each(publish)).await
    }
}

#[async_trait]
impl Sink for FileSink {
    async fn open(&mut self) -> Result<Option<u64>, Fault> {
        if let Some(created) = super::target::creates(self.settings.path.clone()).await {
            tracing::info!(target: CREATED, "{created}");
        }
        Ok(None)
    }

    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        let mut bad = Vec::new();
        if rows.batch.num_rows() == 0 {
            return Ok(bad);
        }
        self.tidy().await?;
        if self.encoder.as_ref().is_some_and(|encoder| encoder.carries_changes()) {
            let kept = rows
                .batch
                .project(self.partition.kept())
                .map_err(|error| Fault::new(Blame::Program, format!("a column that is not there: {error}")))?;
            let encoded = match &mut self.encoder {
                Some(encoder) => encoder.encode_changes(&kept, rows.ops.as_ref())?,
                None => return Ok(bad),
            };
            self.put_lines(Path::new(""), &encoded)?;
            return Ok(bad);
        }
        let batch = if self.shows_ops { with_ops(&rows.batch, rows.ops.as_ref())? } else { rows.batch };
        for (folder, part) in self.partition.split(&batch)? {
            let put = self.put(&folder, &part, &mut bad);
            // A file that could not be written ends its job, and nothing of it can be published.
            put.inspect_err(|_| self.open.remove(&folder).into_iter().for_each(|open| open.segment.discard()))?;
        }
        Ok(bad)
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        if self.exactly_once {
            return Ok(());
        }
        self.publish().await
    }

    async fn settle(&mut self) -> Result<bool, Fault> {
        if self.settings.holds != Holds::Parquet || self.exactly_once {
            self.flush().await?;
            return Ok(true);
        }
        let due = self.take_due();
        self.finish_these(due).await?;
        self.publish_finished().await?;
        Ok(self.open.is_empty())
    }

    async fn prepare(&mut self, _epoch: u64) -> Result<Option<String>, Fault> {
        self.tidy().await?;
        if !self.exactly_once {
            self.publish().await?;
            return Ok(None);
        }
        self.finish_all().await?;
        self.prepared = std::mem::take(&mut self.finished);
        if self.prepared.is_empty() {
            return Ok(None);
        }
        serde_json::to_string(&self.prepared)
            .map(Some)
            .map_err(|error| Fault::new(Blame::Program, format!("the names of files: {error}")))
    }

    async fn commit(&mut self, _epoch: u64, prepared: &str) -> Result<(), Fault> {
        let finished: Vec<Finished> = serde_json::from_str(prepared)
            .map_err(|error| Fault::new(Blame::Program, format!("a checkpoint names no files: {error}")))?;
        self.prepared.retain(|waiting| !finished.contains(waiting));
        off_the_async_threads(move || finished.iter().try_for_each(Finished::publish)).await
    }

    async fn close(&mut self, is_clean: bool) -> Result<(), Fault> {
        self.tidy().await?;
        if is_clean || !self.exactly_once {
            return self.publish().await;
        }
        self.open.drain().for_each(|(_, open)| open.segment.discard());
        self.finished.drain(..).for_each(|finished| finished.discard());
        // What was prepared belongs to a checkpoint, which may yet ask for it; the rest is taken back.
        Ok(())
    }
}
