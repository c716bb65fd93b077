//! Finds records in a file of text, through a buffer that only one long record can make grow: lines, lines of CSV whose
//! quotes may hold line ends, or JSON objects one after the other. It decodes nothing.

use std::fs::{File, Metadata};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memchr::{memchr, memchr_iter, memchr2};

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
    /// At the end of a line that is not within quotes. A quote opens where a field begins, and nowhere else.
    QuotedLines { quote: u8, delimiter: u8 },
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

/// What tells a file from another one that has its name later: device and inode.
pub(super) type Identity = (u64, u64);

/// Which file this is; `None` where the system does not say.
#[cfg(unix)]
pub(super) fn identity(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

/// Which file this is; `None` where the system does not say.
#[cfg(not(unix))]
pub(super) fn identity(_: &Metadata) -> Option<Identity> {
    None
}

/// Records of one file.
pub(super) struct Lines {
    path: PathBuf,
    identity: Option<Identity>,
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
        let identity = identity(&file.metadata().map_err(fail)?);
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
            identity,
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

    /// Which file is read, whatever its name names by now.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
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
        let (mut searched, mut scan) = (0, QuoteScan::default());
        loop {
            let found = match self.ends {
                Ends::Lines => memchr(b'\n', &self.text()[searched..]).map(|at| searched + at),
                Ends::QuotedLines { quote, delimiter } => scan.end(self.text(), quote, delimiter),
                Ends::Objects => {
                    self.pass_over();
                    object_end(self.text())
                }
            };
            let is_quoted = matches!(self.ends, Ends::QuotedLines { .. });
            let found = match found {
                // A quote that nothing closes spoils its line, not what is behind it.
                None if is_quoted && self.end - self.start >= RECORD_BYTES_MAX => memchr(b'\n', self.text()),
                found => found,
            };
            if let Some(length) = found {
                if let Some(found) = self.hand_out(length) {
                    return Ok(Some(found));
                }
                (searched, scan) = (0, QuoteScan::default());
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

    /// Takes all but the first line of the record that was handed out last back: they are handed out again, as records
    /// of their own. Answers with that line; `None` where the record is no more than one.
    pub fn only_first_line(&mut self, found: &Found) -> Option<Found> {
        let mut range = found.range.start..found.range.start + memchr(b'\n', self.bytes(found))?;
        let back = self.start - (range.end + 1);
        if self.buffer[range.clone()].last() == Some(&b'\r') {
            range.end -= 1;
        }
        self.start -= back;
        self.offset -= back as u64;
        self.line = found.line;
        Some(Found { range, line: found.line })
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

/// Looks for the end of a line that is not within quotes, and goes on where it was when there is more text.
#[derive(Debug, Default)]
struct QuoteScan {
    at: usize,
    within: Within,
}

/// What a scan stands in.
#[derive(Debug, Default, Clone, Copy)]
enum Within {
    /// Where a field begins.
    #[default]
    Beginning,
    /// A field without quotes, or what stands behind a closing quote.
    Plain,
    /// Quotes.
    Quotes,
}

impl QuoteScan {
    fn end(&mut self, text: &[u8], quote: u8, delimiter: u8) -> Option<usize> {
        if self.at == 0 {
            // Most lines hold no quote at all.
            let line = memchr(b'\n', text)?;
            if memchr(quote, &text[..line]).is_none() {
                return Some(line);
            }
        }
        loop {
            let rest = text.get(self.at..)?;
            match self.within {
                Within::Beginning if *rest.first()? == quote => {
                    (self.at, self.within) = (self.at + 1, Within::Quotes);
                }
                Within::Beginning => self.within = Within::Plain,
                Within::Plain => {
                    let Some(length) = memchr2(delimiter, b'\n', rest) else {
                        self.at = text.len();
                        return None;
                    };
                    if rest[length] == b'\n' {
                        return Some(self.at + length);
                    }
                    (self.at, self.within) = (self.at + length + 1, Within::Beginning);
                }
                Within::Quotes => {
                    let Some(length) = memchr(quote, rest) else {
                        self.at = text.len();
                        return None;
                    };
                    self.at += length;
                    // The byte behind it says whether it is one of a pair; without that byte it is found again.
                    match text.get(self.at + 1)? {
                        byte if *byte == quote => self.at += 2,
                        _ => (self.at, self.within) = (self.at + 1, Within::Plain),
                    }
                }
            }
        }
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
