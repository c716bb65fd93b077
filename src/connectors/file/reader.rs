//! Reads one file: a named thread finds records and decodes them, an async caller takes batches. The thread ends with
//! the reader.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;

use super::content::{Content, content, wanted, with_system};
use super::folders::{self, Apart, Given};
use super::lines::{Ends, Found, Lines, identity};
use super::place::{Place, Stamp, is_plain};
use super::settings::{Holds, Settings, failed};
use super::source::ends_of;
use crate::clock::now_ms;
use crate::connectors::contract::{
    BadRecord, Columns, Position, Pull, RawRecord, ReaderProgress, SourceRows, SplitReader, system_columns as names,
};
use crate::connectors::descriptors;
use crate::connectors::encoding::Format;
use crate::connectors::thread::{self, BATCH_BYTES_MAX, Handed, Hands, Orders};
use crate::core::fault::{Blame, Fault};
use crate::kafka::admin::off_the_async_threads;

/// How long a reader that has not come to the end of its file is waited for before it is said that nothing came: a disk
/// that is slow is not a file that is silent.
const READ_WAIT: Duration = Duration::from_secs(30);

/// One file, and how to read it.
#[derive(Clone)]
pub(super) struct Job {
    pub settings: Arc<Settings>,
    pub path: PathBuf,
    pub schema: SchemaRef,
    pub columns: Columns,
    /// What was read before.
    pub from: Place,
    pub watch: Option<Duration>,
}

impl Job {
    /// Begins anew where the file is another one than that which was read before. Answers with its length; 0 where it is
    /// not there.
    fn settle(&mut self) -> u64 {
        let Ok(metadata) = self.path.metadata() else { return 0 };
        let stamp = Stamp::of(&metadata);
        if let Err(why) = self.from.in_file(stamp, &self.settings, &self.path) {
            tracing::warn!(file = &*self.path.to_string_lossy(), "{why}: it is read from its beginning");
            self.from = Place::default();
        }
        stamp.length
    }
}

/// The async side.
pub(super) struct FileReader {
    hands: Hands<Worker>,
    place: Place,
    /// How long the file was when it was opened.
    length: u64,
    /// It stands at the end of what is there.
    is_resting: bool,
    bytes: Option<(u64, u64)>,
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
        let worker = off_the_async_threads(move || Worker::open(job).map(Box::new)).await?;
        let (place, length) = (worker.place(), worker.length);
        Ok(Self { hands: Hands::of(worker), place, length, is_resting: false, bytes: None })
    }

    fn stands(&mut self, stand: Stand, is_resting: bool) {
        (self.place, self.bytes, self.is_resting) = (stand.place, Some(stand.bytes), is_resting);
    }
}

#[async_trait]
impl SplitReader for FileReader {
    async fn next(&mut self, rows_max: usize, wait: Duration) -> Result<Pull, Fault> {
        let wait = if self.is_resting { wait } else { wait.max(READ_WAIT) };
        Ok(match self.hands.next(rows_max, wait).await? {
            Some(Handed::Rows(rows, stand)) => {
                self.stands(stand, false);
                Pull::Rows(rows)
            }
            Some(Handed::CaughtUp(stand)) => {
                self.stands(stand, true);
                Pull::Rest
            }
            None if self.is_resting => Pull::Rest,
            None => Pull::Idle,
            Some(Handed::End) => {
                self.place.length = Some(self.length);
                Pull::End
            }
        })
    }

    fn position(&self) -> Position {
        self.place.position()
    }

    fn progress(&self) -> ReaderProgress {
        ReaderProgress { bytes: self.bytes, ..ReaderProgress::default() }
    }
}

/// How far the thread is.
struct Stand {
    place: Place,
    /// Bytes read and in all.
    bytes: (u64, u64),
}

/// The thread's side.
struct Worker {
    job: Job,
    topic: Arc<str>,
    schema: SchemaRef,
    given: Given,
    content: Content,
    /// How long the file was when it was opened.
    length: u64,
    /// How long it was when nothing was left in it, once that was told.
    rests_at: Option<u64>,
    /// Another file has the name: what is left of this one is read first.
    is_replaced: bool,
}

impl thread::Worker for Worker {
    type Place = Stand;

    fn name(&self) -> String {
        self.job.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    fn look(&mut self, orders: &Orders) -> Result<Option<Handed<Stand>>, Fault> {
        let watch = self.job.watch.filter(|_| !matches!(self.content, Content::Groups(_)));
        if let Some(rows) = self.collect(orders.rows_max(), watch.is_none())? {
            return Ok(Some(self.handed(rows)));
        }
        let Some(interval) = watch else { return Ok(Some(Handed::End)) };
        if self.rests_at.is_none() {
            // A length from before the last look: what is added behind it makes it another.
            let length = self.job.path.metadata().map_or(0, |metadata| metadata.len());
            if let Some(rows) = self.collect(orders.rows_max(), false)? {
                return Ok(Some(self.handed(rows)));
            }
            self.rests_at = Some(length);
            let place = Place { length: Some(length), ..self.place() };
            return Ok(Some(Handed::CaughtUp(Stand { place, bytes: self.progress() })));
        }
        orders.pause(interval);
        Ok(self.look_again(orders.rows_max())?.map(|rows| self.handed(rows)))
    }
}

impl Worker {
    fn open(mut job: Job) -> Result<Self, Fault> {
        let length = job.settle();
        let mut columns: Vec<_> = wanted(&job)?.fields().iter().cloned().collect();
        let (job, given, content) = match folders::apart(&job)? {
            Apart::Fits(job, given) => {
                let content = content(&job)?;
                (job, given, content)
            }
            Apart::Unfit(why) => (job, Given::default(), Content::Unfit(Some(why))),
        };
        columns.extend(job.columns.system.iter().filter_map(|name| names::field(name).map(Arc::new)));
        let (topic, schema) = (job.path.to_string_lossy().into(), Arc::new(Schema::new(columns)));
        Ok(Self { topic, schema, given, content, length, rests_at: None, is_replaced: false, job })
    }

    fn handed(&mut self, rows: SourceRows) -> Handed<Stand> {
        self.rests_at = None;
        Handed::Rows(rows, Stand { place: self.place(), bytes: self.progress() })
    }

    /// A compressed file has to be opened again to see what was added to it. A file that became shorter is read from
    /// its beginning; so is another file under the name, once a look later nothing was left of the one before: whoever
    /// wrote that one may have written on until now. Rows are what was left.
    fn look_again(&mut self, most: usize) -> Result<Option<SourceRows>, Fault> {
        if matches!(self.content, Content::Unfit(_)) {
            return Ok(None);
        }
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
        let is_as_told = self.rests_at == Some(metadata.len());
        if !is_as_told {
            self.rests_at = None;
        }
        let is_replaced = own.is_some() && own != identity(&metadata);
        if is_replaced && !std::mem::replace(&mut self.is_replaced, true) {
            return Ok(None);
        }
        if is_replaced && let Some(rows) = self.collect(most, true)? {
            return Ok(Some(rows));
        }
        self.is_replaced = false;
        let is_plain = is_plain(&self.job.settings, &self.job.path);
        let is_shorter = is_plain && metadata.len() < place.0;
        if is_replaced {
            tracing::info!(file = &*self.topic, "another file has the name now: it is read from its beginning");
        } else if is_shorter {
            tracing::warn!(file = &*self.topic, "the file became shorter: it is read from its beginning");
        }
        let is_another = is_replaced || is_shorter;
        if is_another || !is_as_told && (!is_plain || matches!(self.content, Content::Unnamed)) {
            let from = if is_another { Place::default() } else { self.place() };
            let mut job = Job { from, ..self.job.clone() };
            job.settle();
            self.content = match content(&job) {
                // The next look may find a descriptor.
                Err(fault) if descriptors::are_wanting(&fault) => return Ok(None),
                content => content?,
            };
            self.rests_at = None;
        }
        Ok(None)
    }

    fn place(&self) -> Place {
        let (at, identity) = match &self.content {
            Content::Records(lines, _) => (lines.place(), lines.identity()),
            // Nothing is read of what is not there.
            Content::Unnamed | Content::Unfit(_) => return Place { length: None, ..self.job.from },
            Content::Groups(groups) => (groups.place(), groups.stamp().identity),
        };
        Place { at, inode: identity.map(|(_, inode)| inode), length: None }
    }

    fn progress(&self) -> (u64, u64) {
        if let Content::Groups(groups) = &self.content {
            return groups.progress();
        }
        let size = self.job.path.metadata().map_or(0, |metadata| metadata.len());
        if matches!(self.content, Content::Unfit(_)) {
            return (size, size);
        }
        // Of a compressed file the place counts its text; how much of the file that is nobody knows.
        (if is_plain(&self.job.settings, &self.job.path) { self.place().at.0 } else { 0 }, size)
    }

    /// The next rows; a last line without its end is one where `is_final`.
    fn collect(&mut self, most: usize, is_final: bool) -> Result<Option<SourceRows>, Fault> {
        let now = now_ms();
        let (columns, system) = (&self.job.columns, &self.job.columns.system);
        let (lines, decoder) = match &mut self.content {
            Content::Unnamed => return Ok(None),
            Content::Unfit(why) => return Ok(why.take().map(|why| unfit(&self.schema, &self.topic, why))),
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
                let columns = self.given.among(&rows.batch)?;
                let batch = with_system(&self.schema, columns, system, &self.topic, &rows.numbers)?;
                return Ok(Some(SourceRows { batch, times, ops: None, origins: None, bad, skipped: 0, bytes }));
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
        let filled = self.given.among(&decoded.batch)?;
        let batch = with_system(&all, filled, system, &self.topic, &numbers)?;
        Ok(Some(SourceRows {
            times: ScalarBuffer::from(vec![now; numbers.len()]),
            batch,
            ops: decoded.ops,
            origins: columns.origins.then(|| Arc::new(origins)),
            bad,
            skipped: 0,
            bytes,
        }))
    }
}

/// A file as one bad record.
fn unfit(schema: &SchemaRef, file: &Arc<str>, why: String) -> SourceRows {
    let record = RawRecord { topic: file.clone(), ..RawRecord::default() };
    SourceRows {
        batch: RecordBatch::new_empty(schema.clone()),
        times: ScalarBuffer::from(Vec::new()),
        ops: None,
        origins: None,
        bad: vec![BadRecord { record, stage: "decode", class: "cast", message: why }],
        skipped: 0,
        bytes: 0,
    }
}
