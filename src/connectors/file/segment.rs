//! One file in the making: written under a hidden name, made durable, and then published in one step that may be taken
//! again after a crash without doing its work twice.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Pages, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};

use super::settings::{Compression, failed};
use crate::core::fault::{Blame, Fault};

/// Bytes that are gathered before they go to the file.
const WRITE_BYTES: usize = 256 << 10;

/// Records from `first` on as lines, as many as there is room for: the one that fills it is the last. Those that have no
/// bytes are none. Answers with the record that comes next.
pub(super) fn fitting(bytes: &[u8], ends: &[usize], first: usize, room: Option<u64>) -> (usize, Vec<u8>) {
    let mut start = if first == 0 { 0 } else { ends[first - 1] };
    let mut lines = Vec::new();
    for (record, end) in ends.iter().enumerate().skip(first) {
        if *end > start {
            lines.extend_from_slice(&bytes[start..*end]);
            lines.push(b'\n');
        }
        start = *end;
        if room.is_some_and(|room| lines.len() as u64 >= room) {
            return (record + 1, lines);
        }
    }
    (ends.len(), lines)
}

/// A finished file that is not visible yet. It goes into the manifest of a checkpoint as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Finished {
    /// Where it is.
    pub hidden: PathBuf,
    /// Where its rows belong.
    pub target: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// How long the target was when this was written, where its bytes go behind what is there; `None`: it becomes the
    /// target.
    pub behind: Option<u64>,
}

/// Where rows go in their format.
enum Into {
    Text(Text),
    Parquet(Box<ArrowWriter<BufWriter<File>>>),
}

enum Text {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<File>>),
}

/// A file in the making.
pub(super) struct Segment {
    into: Into,
    hidden: PathBuf,
    target: PathBuf,
    behind: Option<u64>,
    written: u64,
}

impl Segment {
    /// A file of text.
    pub fn text(
        hidden: PathBuf,
        target: PathBuf,
        behind: Option<u64>,
        compression: Compression,
    ) -> Result<Self, Fault> {
        let out = create(&hidden)?;
        let into = match compression {
            Compression::None => Text::Plain(out),
            Compression::Gzip => Text::Gzip(GzEncoder::new(out, flate2::Compression::default())),
            Compression::Zstd => {
                let encoder = zstd::stream::write::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL);
                Text::Zstd(encoder.map_err(|error| failed("write", &hidden, &error))?)
            }
        };
        Ok(Self { into: Into::Text(into), hidden, target, behind, written: 0 })
    }

    /// A file of Parquet.
    pub fn parquet(hidden: PathBuf, target: PathBuf, schema: SchemaRef, pages: Option<&str>) -> Result<Self, Fault> {
        let compression = match pages {
            Some("none" | "uncompressed") => Pages::UNCOMPRESSED,
            Some("snappy") => Pages::SNAPPY,
            Some("gzip" | "gz") => Pages::GZIP(parquet::basic::GzipLevel::default()),
            _ => Pages::ZSTD(ZstdLevel::default()),
        };
        let properties = WriterProperties::builder().set_compression(compression).build();
        let writer = ArrowWriter::try_new(create(&hidden)?, schema, Some(properties)).map_err(|error| {
            Fault::new(Blame::Operator, format!("these columns cannot be written as Parquet: {error}"))
        })?;
        Ok(Self { into: Into::Parquet(Box::new(writer)), hidden, target, behind: None, written: 0 })
    }

    /// Adds text.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let outcome = match &mut self.into {
            Into::Text(Text::Plain(out)) => out.write_all(bytes),
            Into::Text(Text::Gzip(out)) => out.write_all(bytes),
            Into::Text(Text::Zstd(out)) => out.write_all(bytes),
            Into::Parquet(_) => return Err(Fault::new(Blame::Program, "Parquet takes no text")),
        };
        self.written += bytes.len() as u64;
        outcome.map_err(|error| failed("write", &self.hidden, &error))
    }

    /// Adds rows of Parquet.
    pub fn write_rows(&mut self, batch: &RecordBatch) -> Result<(), Fault> {
        let Into::Parquet(writer) = &mut self.into else {
            return Err(Fault::new(Blame::Program, "text takes no batches"));
        };
        writer.write(batch).map_err(|error| parquet_failed(&self.hidden, &error))?;
        self.written = (writer.bytes_written() + writer.in_progress_size()) as u64;
        Ok(())
    }

    /// Bytes so far, before an outer compression.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Ends the file and makes it durable. Blocks.
    pub fn finish(self) -> Result<Finished, Fault> {
        let fail = |error: std::io::Error| failed("write", &self.hidden, &error);
        let out = match self.into {
            Into::Text(Text::Plain(out)) => out,
            Into::Text(Text::Gzip(out)) => out.finish().map_err(fail)?,
            Into::Text(Text::Zstd(out)) => out.finish().map_err(fail)?,
            Into::Parquet(writer) => writer.into_inner().map_err(|error| parquet_failed(&self.hidden, &error))?,
        };
        let file = out.into_inner().map_err(|error| fail(error.into_error()))?;
        file.sync_all().map_err(fail)?;
        let bytes = file.metadata().map_err(fail)?.len();
        Ok(Finished { hidden: self.hidden, target: self.target, bytes, behind: self.behind })
    }

    /// Takes it back.
    pub fn discard(self) {
        std::fs::remove_file(&self.hidden).ok();
    }
}

impl Finished {
    /// Makes its rows visible. Done before, it does nothing. Blocks.
    ///
    /// # Errors
    /// The folder cannot be written, or somebody else has changed the target.
    pub fn publish(&self) -> Result<(), Fault> {
        let is_left = self.hidden.exists();
        match self.behind {
            None => {
                if is_left {
                    std::fs::rename(&self.hidden, &self.target)
                        .map_err(|error| failed("rename to", &self.target, &error))?;
                    sync_folder(&self.target)?;
                }
            }
            Some(behind) => self.append(behind, is_left)?,
        }
        Ok(())
    }

    /// Says beside the hidden file how long the target is before these bytes go behind it: the next run cuts a half of
    /// them off. For files that no checkpoint knows of. Blocks.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn note(&self) -> Result<(), Fault> {
        let Some(behind) = self.behind else { return Ok(()) };
        let path = note_of(&self.hidden);
        let fail = |error: std::io::Error| failed("write", &path, &error);
        let mut note = File::create(&path).map_err(fail)?;
        note.write_all(behind.to_string().as_bytes()).and_then(|()| note.sync_all()).map_err(fail)?;
        sync_folder(&path)
    }

    /// Adds the bytes to the target. A half of them, from before a crash, is cut off first.
    fn append(&self, behind: u64, is_left: bool) -> Result<(), Fault> {
        let fail = |error: std::io::Error| failed("add to", &self.target, &error);
        if !is_left {
            return Ok(());
        }
        let mut target =
            OpenOptions::new().create(true).truncate(false).write(true).open(&self.target).map_err(fail)?;
        let length = target.metadata().map_err(fail)?.len();
        if length < behind {
            let what =
                format!("{} is shorter than when it was written: somebody has changed it", self.target.display());
            return Err(Fault::new(Blame::Operator, what).next(format!("the rows are in {}", self.hidden.display())));
        }
        if length < behind + self.bytes {
            target.set_len(behind).map_err(fail)?;
            if let Err(error) = self.copy_to(&mut target, behind) {
                // Better none of it than a half: the folder may be full.
                target.set_len(behind).ok();
                return Err(fail(error));
            }
        }
        std::fs::remove_file(note_of(&self.hidden)).or_else(if_there).map_err(fail)?;
        std::fs::remove_file(&self.hidden).map_err(fail)?;
        sync_folder(&self.target)
    }

    fn copy_to(&self, target: &mut File, behind: u64) -> std::io::Result<()> {
        target.seek(SeekFrom::Start(behind))?;
        let mut hidden = File::open(&self.hidden)?;
        let mut chunk = vec![0; WRITE_BYTES];
        loop {
            let read = hidden.read(&mut chunk)?;
            if read == 0 {
                return target.sync_all();
            }
            target.write_all(&chunk[..read])?;
        }
    }

    /// Takes it back.
    pub fn discard(&self) {
        std::fs::remove_file(&self.hidden).ok();
    }
}

/// Takes the bytes of a hidden file that a killed run left off its target again, where only a half of them got there;
/// what anybody else has put there since stays. Blocks.
///
/// # Errors
/// A file that cannot be read or changed.
pub(super) fn cut_half(hidden: &Path, target: &Path) -> Result<(), Fault> {
    let note = note_of(hidden);
    let Ok(text) = std::fs::read_to_string(&note) else { return Ok(()) };
    if let Ok(behind) = text.parse::<u64>() {
        cut(hidden, target, behind).or_else(if_there).map_err(|error| failed("mend", target, &error))?;
    }
    std::fs::remove_file(&note).map_err(|error| failed("take away", &note, &error))
}

fn cut(hidden: &Path, target: &Path, behind: u64) -> std::io::Result<()> {
    let mut target = OpenOptions::new().read(true).write(true).open(target)?;
    let mut hidden = File::open(hidden)?;
    let length = target.metadata()?.len();
    if length <= behind || length - behind >= hidden.metadata()?.len() {
        return Ok(());
    }
    target.seek(SeekFrom::Start(behind))?;
    let (mut there, mut own) = (vec![0; WRITE_BYTES], vec![0; WRITE_BYTES]);
    loop {
        let read = target.read(&mut there)?;
        if read == 0 {
            target.set_len(behind)?;
            return target.sync_all();
        }
        hidden.read_exact(&mut own[..read])?;
        if own[..read] != there[..read] {
            return Ok(());
        }
    }
}

/// Where [`Finished::note`] writes.
fn note_of(hidden: &Path) -> PathBuf {
    hidden.with_extension("behind")
}

fn if_there(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Whether the last line of a file of text has its end; an empty file has no line. Blocks.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn ends_its_line(path: &Path) -> Result<bool, Fault> {
    let look = || -> std::io::Result<bool> {
        let mut file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(true);
        }
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    };
    look().map_err(|error| failed("read", path, &error))
}

fn create(hidden: &Path) -> Result<BufWriter<File>, Fault> {
    if let Some(folder) = hidden.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed("make the folder", folder, &error))?;
    }
    let file = File::create(hidden).map_err(|error| failed("write", hidden, &error))?;
    // Whoever tidies up sees that somebody writes it; a folder that knows no locks has no such help.
    file.try_lock().ok();
    Ok(BufWriter::with_capacity(WRITE_BYTES, file))
}

/// A name is durable when its folder is.
fn sync_folder(path: &Path) -> Result<(), Fault> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed("make durable", folder, &error))
}

fn parquet_failed(path: &Path, error: &parquet::errors::ParquetError) -> Fault {
    Fault::new(Blame::Operator, format!("could not write {}: {error}", path.display()))
}
