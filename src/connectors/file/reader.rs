//! Reads one file: a named thread finds records and decodes them, an async caller takes batches. The thread ends with
//! the reader.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;

use super::content::{Content, records, wanted, with_system};
use super::lines::{Ends, Found, Lines, identity};
use super::parquet::Groups;
use super::settings::{Compression, Holds, Settings, failed};
use super::source::ends_of;
use crate::clock::now_ms;
use crate::connectors::contract::{
    BadRecord, Columns, Position, Pull, RawRecord, ReaderProgress, SourceRows, SplitReader, system_columns as names,
};
use crate::connectors::encoding::Format;
use crate::connectors::thread::{self, BATCH_BYTES_MAX, Handed, Hands, Orders};
use crate::core::fault::{Blame, Fault};
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
    /// The inode of the file that was read up to there, where a checkpoint says it.
    pub inode: Option<u64>,
    pub watch: Option<Duration>,
}

/// The async side.
pub(super) struct FileReader {
    hands: Hands<Worker>,
    place: (u64, u64),
    inode: Option<u64>,
    bytes: Option<(u64, u64)>,
}

/// The place that a position says, and the inode of the file that it is in where that is known.
pub(super) fn parse(position: &Position, file: &str) -> Result<((u64, u64), Option<u64>), Fault> {
    let numbers: Option<Vec<u64>> = position.0.split(':').map(|number| number.parse().ok()).collect();
    match numbers.as_deref() {
        Some([first, second]) => Some(((*first, *second), None)),
        Some([first, second, inode]) => Some(((*first, *second), Some(*inode))),
        _ => None,
    }
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
        let (place, inode) = (job.from, job.inode);
        let worker = off_the_async_threads(move || Worker::open(job).map(Box::new)).await?;
        Ok(Self { hands: Hands::of(worker), place, inode, bytes: None })
    }
}

#[async_trait]
impl SplitReader for FileReader {
    async fn next(&mut self, rows_max: usize, wait: Duration) -> Result<Pull, Fault> {
        Ok(match self.hands.next(rows_max, wait).await? {
            Some(Handed::Rows(rows, stand)) => {
                (self.place, self.inode, self.bytes) = (stand.place, stand.inode, Some(stand.bytes));
                Pull::Rows(rows)
            }
            Some(Handed::CaughtUp(_)) | None => Pull::Idle,
            Some(Handed::End) => Pull::End,
        })
    }

    fn position(&self) -> Position {
        let (first, second) = self.place;
        Position(match self.inode {
            Some(inode) => format!("{first}:{second}:{inode}"),
            None => format!("{first}:{second}"),
        })
    }

    fn progress(&self) -> ReaderProgress {
        ReaderProgress { bytes: self.bytes, ..ReaderProgress::default() }
    }
}

/// How far the thread is.
struct Stand {
    place: (u64, u64),
    inode: Option<u64>,
    /// Bytes read and in all.
    bytes: (u64, u64),
}

/// The thread's side.
struct Worker {
    job: Job,
    topic: Arc<str>,
    schema: SchemaRef,
    content: Content,
    /// Another file has the name: what is left of this one is read first.
    is_replaced: bool,
}

impl thread::Worker for Worker {
    type Place = Stand;

    fn name(&self) -> String {
        self.job.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    fn look(&mut self, orders: &Orders) -> Result<Option<Handed<Stand>>, Fault> {
        let is_watched = self.job.watch.is_some() && !matches!(self.content, Content::Groups(_));
        let mut rows = self.collect(orders.rows_max(), !is_watched)?;
        if rows.is_none()
            && is_watched
            && let Some(interval) = self.job.watch
        {
            Self::wait(interval, orders);
            rows = self.look_again(orders.rows_max())?;
        }
        Ok(match rows {
            Some(rows) => {
                let stand = Stand { place: self.place(), inode: self.inode(), bytes: self.progress() };
                Some(Handed::Rows(rows, stand))
            }
            None => (!is_watched).then_some(Handed::End),
        })
    }
}

impl Worker {
    fn open(mut job: Job) -> Result<Self, Fault> {
        if job.watch.is_some() && job.inode.is_some() && job.settings.holds != Holds::Parquet {
            let metadata = job.path.metadata().map_err(|error| failed("look at", &job.path, &error))?;
            if identity(&metadata).is_some_and(|(_, inode)| Some(inode) != job.inode) {
                let file = &*job.path.to_string_lossy();
                tracing::warn!(file, "another file has the name since the checkpoint: it is read from its beginning");
                job.from = (0, 0);
            }
        }
        let wanted = wanted(&job)?;
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
        Ok(Self { topic, schema: Arc::new(Schema::new(columns)), content, is_replaced: false, job })
    }

    fn wait(interval: Duration, orders: &Orders) {
        let until = std::time::Instant::now() + interval;
        while std::time::Instant::now() < until && !orders.is_stopped() {
            std::thread::sleep(NAP.min(interval));
        }
    }

    /// A compressed file has to be opened again to see what was added to it. A file that became shorter is read from
    /// its beginning; so is another file under the name, once a look later nothing was left of the one before: whoever
    /// wrote that one may have written on until now. Rows are what was left.
    fn look_again(&mut self, most: usize) -> Result<Option<SourceRows>, Fault> {
        let metadata = match self.job.path.metadata() {
            Ok(metadata) => metadata,
            // It was taken away: what is left is what was read.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("look at", &self.job.path, &error)),
        };
        let (place, own) = match &self.content {
            Content::Records(lines, _) => (lines.place(), lines.identity()),
            _ => ((0, 0), None),
        };
        let is_replaced = own.is_some() && own != identity(&metadata);
        if is_replaced && !std::mem::replace(&mut self.is_replaced, true) {
            return Ok(None);
        }
        if is_replaced && let Some(rows) = self.collect(most, true)? {
            return Ok(Some(rows));
        }
        self.is_replaced = false;
        let compression = self.job.settings.compression_of(&self.job.path);
        let is_shorter = compression == Compression::None && metadata.len() < place.0;
        if is_replaced {
            tracing::info!(file = &*self.topic, "another file has the name now: it is read from its beginning");
        } else if is_shorter {
            tracing::warn!(file = &*self.topic, "the file became shorter: it is read from its beginning");
        }
        let is_another = is_replaced || is_shorter;
        if is_another || compression != Compression::None || matches!(self.content, Content::Unnamed) {
            self.job.from = if is_another { (0, 0) } else { place };
            self.content = self.reopened()?;
        }
        Ok(None)
    }

    fn reopened(&self) -> Result<Content, Fault> {
        let wanted = wanted(&self.job)?;
        match &self.job.settings.holds {
            Holds::Records(format) => records(&self.job, format, &wanted),
            Holds::Parquet => Err(Fault::new(Blame::Program, "Parquet is not watched line by line")),
        }
    }

    fn inode(&self) -> Option<u64> {
        match &self.content {
            Content::Records(lines, _) => lines.identity().map(|(_, inode)| inode),
            _ => None,
        }
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

    /// The next rows; a last line without its end is one where `is_final`.
    fn collect(&mut self, most: usize, is_final: bool) -> Result<Option<SourceRows>, Fault> {
        let now = now_ms();
        let (columns, system) = (&self.job.columns, &self.job.columns.system);
        let (lines, decoder) = match &mut self.content {
            Content::Unnamed => return Ok(None),
            Content::Groups(groups) => {
                let Some(rows) = groups.next(most)? else { return Ok(None) };
                let bytes = rows.batch.columns().iter().map(|column| column.get_buffer_memory_size() as u64).sum();
                let times = ScalarBuffer::from(vec![now; rows.numbers.len()]);
                let bad = rows.unfit.into_iter().map(|unfit| BadRecord {
                    record: RawRecord {
                        topic: self.topic.clone(),
                        offset: unfit.number,
                        value: unfit.value,
                        ..RawRecord::default()
                    },
                    stage: "decode",
                    class: unfit.class,
                    message: unfit.message,
                });
                let bad = bad.collect();
                let batch = with_system(&self.schema, rows.batch, system, &self.topic, &rows.numbers)?;
                return Ok(Some(SourceRows { batch, times, ops: None, origins: None, bad, bytes }));
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
        let is_csv = matches!(self.job.settings.holds, Holds::Records(Format::Csv(_)));
        let mut suspect = None;
        let per_record = if matches!(self.job.settings.holds, Holds::Records(Format::Debezium)) { 2 } else { 1 };
        while (numbers.len() + 1) * per_record <= most.max(per_record) && lines.place().0 - begun < BATCH_BYTES_MAX {
            let Some(found) = lines.next(is_final)? else { break };
            let bytes = lines.bytes(&found);
            numbers.push(i64::try_from(found.line).unwrap_or(i64::MAX));
            let is_good = decoder.push(Some(bytes));
            if !is_good {
                bad.push(raw(&found, bytes));
            }
            if columns.origins {
                origins.push(raw(&found, bytes));
            }
            if !is_good && is_csv && memchr::memchr(b'\n', bytes).is_some() {
                suspect = Some(found);
                break;
            }
        }
        if numbers.is_empty() {
            return Ok(None);
        }
        let decoded = decoder.finish()?;
        // Lines that a stray quote holds together are no record: only the first is bad, and the others are looked at.
        if let (Some(found), Some(said), Some(bad)) = (suspect, decoded.bad.last(), bad.last_mut())
            && said.class == "malformed"
            && let Some(first) = lines.only_first_line(&found)
        {
            *bad = raw(&first, lines.bytes(&first));
        }
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
