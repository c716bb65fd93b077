//! Finds records in a file of text, through a buffer that only one long record can make grow: lines, lines of CSV whose
//! quotes may hold line ends, or JSON objects one after the other. It decodes nothing.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memchr::{memchr, memchr_iter};

use super::settings::{Compression, failed};
use crate::core::fault::{Blame, Fault};

/// What is read from a file at once.
const CHUNK: usize = 256 << 10;
/// The longest record: a quote that is never closed must not take all memory.
pub(super) const RECORD_BYTES_MAX: usize = 64 << 20;

/// Where records end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// At the end of the line.
    Lines,
    /// At the end of a line that is not within this quote.
    QuotedLines(u8),
    /// With the bracket that closes the object; commas and the brackets of a list around it are passed over.
    Objects,
}

/// A record in the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its bytes in [`Lines::text`].
    pub range: Range<usize>,
    /// The number of its first line, from 1.
    pub line: u64,
}

/// Records of one file.
pub(super) struct Lines {
    path: PathBuf,
    file: Box<dyn Read + Send>,
    ends: Ends,
    buffer: Vec<u8>,
    /// What of the buffer is not handed out yet.
    start: usize,
    end: usize,
    /// Bytes of the file (its text, where compressed) before `start`.
    offset: u64,
    /// Lines before `start`.
    line: u64,
    is_eof: bool,
}

impl Lines {
    /// Opens a file at a place that was a record's beginning.
    ///
    /// # Errors
    /// The file cannot be opened, or is shorter than the place.
    pub fn open(path: &Path, compression: Compression, ends: Ends, offset: u64, line: u64) -> Result<Self, Fault> {
        let fail = |error: std::io::Error| failed("open", path, &error);
        let mut file = File::open(path).map_err(fail)?;
        let file: Box<dyn Read + Send> = match compression {
            Compression::None => {
                std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(offset)).map_err(fail)?;
                Box::new(file)
            }
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(file)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(file).map_err(fail)?),
        };
        let mut lines = Self {
            path: path.to_owned(),
            file,
            ends,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            offset,
            line,
            is_eof: false,
        };
        if compression != Compression::None {
            lines.skip(offset)?;
        }
        if offset == 0 {
            lines.fill()?;
            // The mark of UTF-8 that some programs write first is no part of a record.
            if lines.text().starts_with(b"\xef\xbb\xbf") {
                (lines.start, lines.offset) = (3, 3);
            }
        }
        Ok(lines)
    }

    /// Text that was read and not handed out.
    pub fn text(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The bytes of a record.
    pub fn bytes(&self, found: &Found) -> &[u8] {
        &self.buffer[found.range.clone()]
    }

    /// The place behind the last record: bytes and lines before it.
    pub fn place(&self) -> (u64, u64) {
        (self.offset, self.line)
    }

    /// Records are found in another way from here on.
    pub fn set_ends(&mut self, ends: Ends) {
        self.ends = ends;
    }

    /// The next record; empty lines are passed over. `None` at the end; a last line without its end is a record only
    /// where `is_final`, else it may grow.
    ///
    /// # Errors
    /// The file cannot be read, or a record is longer than [`RECORD_BYTES_MAX`].
    pub fn next(&mut self, is_final: bool) -> Result<Option<Found>, Fault> {
        let mut searched = 0;
        loop {
            let found = match self.ends {
                Ends::Lines => memchr(b'\n', &self.text()[searched..]).map(|at| searched + at),
                Ends::QuotedLines(quote) => quoted_end(self.text(), quote),
                Ends::Objects => {
                    self.pass_over();
                    object_end(self.text())
                }
            };
            if let Some(length) = found {
                if let Some(found) = self.hand_out(length) {
                    return Ok(Some(found));
                }
                searched = 0;
                continue;
            }
            searched = if self.ends == Ends::Lines { self.end - self.start } else { 0 };
            if self.is_eof || !self.fill()? {
                let left = self.end - self.start;
                if left == 0 || !is_final {
                    self.is_eof = false;
                    return Ok(None);
                }
                return Ok(self.hand_out(left));
            }
        }
    }

    /// Reads more; `false` at the end of what is there.
    fn fill(&mut self) -> Result<bool, Fault> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            if self.buffer.len() >= RECORD_BYTES_MAX {
                let what = format!("{}:{}: a record is longer than 64 MB", self.path.display(), self.line + 1);
                return Err(Fault::new(Blame::Operator, what).next("is a quote or a bracket never closed?"));
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let read = self.file.read(&mut self.buffer[self.end..]).map_err(|error| failed("read", &self.path, &error))?;
        self.end += read;
        self.is_eof = read == 0;
        Ok(read > 0)
    }

    /// Takes `length` bytes and the line end behind them; `None` for an empty line.
    fn hand_out(&mut self, length: usize) -> Option<Found> {
        let from = self.start;
        let has_end = self.ends != Ends::Objects && self.buffer[..self.end].get(from + length) == Some(&b'\n');
        let whole = length + usize::from(has_end);
        let inner = match self.ends {
            Ends::Lines => 0,
            _ => memchr_iter(b'\n', &self.buffer[from..from + length]).count(),
        };
        let line = self.line + 1;
        self.line += inner as u64 + u64::from(has_end);
        self.start += whole;
        self.offset += whole as u64;
        let mut range = from..from + length;
        if self.ends != Ends::Objects && self.buffer[range.clone()].last() == Some(&b'\r') {
            range.end -= 1;
        }
        (!range.is_empty()).then_some(Found { range, line })
    }

    /// Passes over what stands between objects.
    fn pass_over(&mut self) {
        let text = &self.buffer[self.start..self.end];
        let between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']');
        let length = text.iter().position(|byte| !between(byte)).unwrap_or(text.len());
        self.line += memchr_iter(b'\n', &text[..length]).count() as u64;
        self.start += length;
        self.offset += length as u64;
    }

    /// Reads over text that was handed out before.
    fn skip(&mut self, bytes: u64) -> Result<(), Fault> {
        let skipped = std::io::copy(&mut (&mut self.file).take(bytes), &mut std::io::sink())
            .map_err(|error| failed("read", &self.path, &error))?;
        if skipped < bytes {
            let what = format!("{} is shorter than when it was read before", self.path.display());
            return Err(Fault::new(Blame::Operator, what).next("start the job without its checkpoint"));
        }
        Ok(())
    }
}

/// The end of a line that is not within quotes.
fn quoted_end(text: &[u8], quote: u8) -> Option<usize> {
    let mut from = 0;
    let mut is_quoted = false;
    loop {
        let end = from + memchr(b'\n', &text[from..])?;
        is_quoted ^= memchr_iter(quote, &text[from..end]).count() % 2 == 1;
        if !is_quoted {
            return Some(end);
        }
        from = end + 1;
    }
}

/// The end of a JSON object that begins the text; of what is no object, the end of the line.
fn object_end(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'{') {
        return memchr(b'\n', text);
    }
    let (mut depth, mut is_string, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            _ if is_string => {}
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}
