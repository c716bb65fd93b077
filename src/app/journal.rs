//! Log and audit on disk: lines appended by one thread of their own, bounded and rotated. Nothing that writes a line waits.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::model::audit::{AUDIT_ENTRIES_MAX, AuditEntry};
use crate::config::private;

/// Lines on their way to the disk; beyond, lines are dropped and counted, because a slow disk must not slow the console.
const LINES_UNDER_WAY_MAX: usize = 4_096;
/// Size at which a file is put aside, bytes: opened by any editor at once.
pub const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Files put aside before the oldest is deleted; with the one in use 32 MB in all.
pub const FILES_ASIDE_MAX: usize = 3;

/// Bytes at the end of the audit log that are read at the start: far more than the entries that are kept take.
const RECENT_BYTES_MAX: u64 = 256 * 1024;

/// Which file a line goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Book {
    /// `velox.log`, JSON lines.
    Log,
    /// `audit.jsonl`.
    Audit,
}

impl Book {
    /// The file's name.
    pub fn file(self) -> &'static str {
        match self {
            Self::Log => "velox.log",
            Self::Audit => "audit.jsonl",
        }
    }
}

enum Entry {
    Log(String),
    /// Whether it was written is answered.
    Audit(String, oneshot::Sender<bool>),
    /// Everything before it is on disk when the sender is answered.
    Flush(SyncSender<()>),
}

/// The writing end; clones write to the same files.
#[derive(Clone)]
pub struct Journal {
    entries: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
    folder: PathBuf,
}

impl Journal {
    /// Opens the journal in a folder, which is made where it does not exist. The thread ends when the last clone is gone.
    ///
    /// # Errors
    /// The folder cannot be made, or a file in it cannot be written.
    pub fn open(folder: &Path) -> io::Result<(Self, JoinHandle<()>)> {
        private::folder(folder)?;
        let books = (Shelf::open(folder, Book::Log)?, Shelf::open(folder, Book::Audit)?);
        let (entries, inbox) = sync_channel(LINES_UNDER_WAY_MAX);
        let thread = std::thread::Builder::new().name("velox-journal".into()).spawn(move || write_all(inbox, books))?;
        Ok((Self { entries, dropped: Arc::default(), folder: folder.to_owned() }, thread))
    }

    /// Adds a line to the log; never waits. One that finds no room is dropped and counted.
    pub fn log(&self, line: String) {
        self.send(Entry::Log(line));
    }

    /// Adds a line to the audit log. The answer comes when it was written: `false` where it could not be.
    pub fn audit(&self, line: String) -> impl Future<Output = bool> + Send + use<> {
        let (written, answer) = oneshot::channel();
        self.send(Entry::Audit(line, written));
        async { answer.await.unwrap_or(false) }
    }

    fn send(&self, entry: Entry) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.entries.try_send(entry) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until every line so far is on disk, or the thread is gone.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.entries.send(Entry::Flush(done)).is_ok() {
            wait.recv().ok();
        }
    }

    /// Lines dropped because the disk was slower than they came.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// The folder of all books.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a book is.
    pub fn path(&self, book: Book) -> PathBuf {
        self.folder.join(book.file())
    }
}

/// `${XDG_STATE_HOME:-~/.local/state}/velox-tui`; none where neither variable is set.
pub fn state_folder(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|text| !text.is_empty()).map(PathBuf::from);
    set("XDG_STATE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("velox-tui"))
}

/// Adds a line at once and waits for the disk: for a headless command, which writes two in its life.
///
/// # Errors
/// The folder cannot be made, or the file cannot be written.
pub fn append_now(folder: &Path, book: Book, line: &str) -> io::Result<()> {
    private::folder(folder)?;
    Shelf::open(folder, book)?.write(line)
}

/// The newest entries of the audit log in a folder, oldest first; none where there is none. Blocks.
pub fn recent_audit(folder: &Path) -> Vec<AuditEntry> {
    let read = || -> io::Result<(bool, Vec<u8>)> {
        let mut file = File::open(folder.join(Book::Audit.file()))?;
        let begins = file.metadata()?.len().saturating_sub(RECENT_BYTES_MAX);
        file.seek(SeekFrom::Start(begins))?;
        let mut bytes = Vec::new();
        file.take(RECENT_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok((0 < begins, bytes))
    };
    let Ok((is_cut, bytes)) = read() else { return Vec::new() };
    let text = String::from_utf8_lossy(&bytes);
    // The first line of a part is a part of a line.
    let entries = text.lines().skip(usize::from(is_cut)).filter_map(entry_of);
    let entries: Vec<AuditEntry> = entries.collect();
    entries.into_iter().rev().take(AUDIT_ENTRIES_MAX).rev().collect()
}

fn entry_of(line: &str) -> Option<AuditEntry> {
    let read: serde_json::Value = serde_json::from_str(line).ok()?;
    let words = |key: &str| read.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    let at: Timestamp = words("at")?.parse().ok()?;
    Some(AuditEntry {
        at_ms: at.as_millisecond(),
        environment: words("environment")?,
        what: words("what")?,
        result: words("result")?,
    })
}

/// A line of the audit log: when, who, environment, what, result.
pub fn audit_line(who: &str, entry: &AuditEntry) -> String {
    let at = Timestamp::from_millisecond(entry.at_ms).unwrap_or_default();
    serde_json::json!({
        "at": at.to_string(),
        "who": who,
        "environment": entry.environment,
        "what": entry.what,
        "result": entry.result,
    })
    .to_string()
}

/// The person at the keyboard, as the audit log names them: as the environment says, else as the machine knows the one
/// this process runs for.
pub fn who() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|who| !who.is_empty()))
        .or_else(|| Some(user_of(uid()?, &fs::read_to_string("/etc/passwd").unwrap_or_default())))
        .unwrap_or_else(|| "unknown".into())
}

/// The user this process runs as: the owner of its entry in `/proc`, else of the home folder.
#[cfg(unix)]
fn uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let places = [Some(PathBuf::from("/proc/self")), home];
    places.into_iter().flatten().find_map(|place| Some(fs::metadata(place).ok()?.uid()))
}

/// Other systems name their users in the environment.
#[cfg(not(unix))]
fn uid() -> Option<u32> {
    None
}

/// The name of a user in the lines of `/etc/passwd`; the number where a directory elsewhere knows it.
fn user_of(uid: u32, passwd: &str) -> String {
    let number = uid.to_string();
    let named = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("uid {uid}"))
}

fn write_all(inbox: Receiver<Entry>, (mut log, mut audit): (Shelf, Shelf)) {
    for entry in inbox {
        match entry {
            // A full disk must not end the console; the next line tries again.
            Entry::Log(line) => log.write(&line).unwrap_or_default(),
            Entry::Audit(line, written) => {
                // Whoever asked may be gone with the console.
                written.send(audit.write(&line).is_ok()).ok();
            }
            Entry::Flush(done) => {
                log.file.flush().ok();
                audit.file.flush().ok();
                done.send(()).ok();
            }
        }
    }
}

struct Shelf {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Shelf {
    fn open(folder: &Path, book: Book) -> io::Result<Self> {
        let path = folder.join(book.file());
        let file = append(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path, file, bytes })
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        if FILE_BYTES_MAX < self.bytes + line.len() as u64 + 1 {
            self.put_aside()?;
        }
        // One call: two consoles that write to one file do not tear each other's lines.
        let mut whole = String::with_capacity(line.len() + 1);
        whole.push_str(line);
        whole.push('\n');
        self.file.write_all(whole.as_bytes())?;
        self.bytes += whole.len() as u64;
        Ok(())
    }

    fn put_aside(&mut self) -> io::Result<()> {
        let aside = |number: usize| {
            let mut path = self.path.clone().into_os_string();
            path.push(format!(".{number}"));
            PathBuf::from(path)
        };
        for number in (1..FILES_ASIDE_MAX).rev() {
            fs::rename(aside(number), aside(number + 1)).ok();
        }
        fs::rename(&self.path, aside(1))?;
        self.file = append(&self.path)?;
        self.bytes = 0;
        Ok(())
    }
}

/// Only its owner reads it: topics and names of a company are nobody else's business.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn lines_arrive_whole_and_in_order_in_their_own_book() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(folder.path()).unwrap();
        journal.log("one".into());
        let written = journal.audit("{}".into());
        journal.log("two".into());
        journal.flush();
        assert!(written.now_or_never().unwrap());
        assert_eq!(fs::read_to_string(journal.path(Book::Log)).unwrap(), "one\ntwo\n");
        assert_eq!(fs::read_to_string(journal.path(Book::Audit)).unwrap(), "{}\n");
    }

    #[test]
    fn what_was_audited_before_is_read_again_and_a_torn_line_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(recent_audit(folder.path()), []);
        let entry = |what: &str| AuditEntry {
            at_ms: 1_795_262_400_123,
            environment: "prod".into(),
            what: what.into(),
            result: "done".into(),
        };
        for what in ["one", "two"] {
            append_now(folder.path(), Book::Audit, &audit_line("ann", &entry(what))).unwrap();
        }
        append_now(folder.path(), Book::Audit, "{\"at\":").unwrap();
        assert_eq!(recent_audit(folder.path()), [entry("one"), entry("two")]);
    }

    /// A disk that takes nothing.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_line_of_the_audit_log_that_is_not_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", folder.path().join(Book::Audit.file())).unwrap();
        let (journal, _) = Journal::open(folder.path()).unwrap();
        let written = journal.audit("{}".into());
        journal.flush();
        assert!(!written.now_or_never().unwrap());
    }

    #[test]
    fn a_book_that_is_full_is_put_aside_and_the_oldest_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::open(folder.path(), Book::Log).unwrap();
        let line = "x".repeat(FILE_BYTES_MAX as usize / 2);
        for _ in 0..10 {
            shelf.write(&line).unwrap();
        }
        let names: std::collections::BTreeSet<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), FILES_ASIDE_MAX + 1, "{names:?}");
        for name in names {
            assert!(fs::metadata(folder.path().join(name)).unwrap().len() <= FILE_BYTES_MAX);
        }
    }

    #[test]
    fn a_user_without_a_variable_is_found_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!((user_of(1_000, passwd), user_of(7, passwd)), ("ada".to_owned(), "uid 7".to_owned()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_runs_for_somebody() {
        assert!(uid().is_some());
    }

    #[test]
    fn the_folder_follows_the_desktop_rules() {
        let with = |state: &'static str| {
            state_folder(move |name| match name {
                "XDG_STATE_HOME" => Some(state.to_owned()),
                _ => Some("/people/me".into()),
            })
        };
        assert_eq!(with("/state").unwrap(), Path::new("/state/velox-tui"));
        assert_eq!(with("").unwrap(), Path::new("/people/me/.local/state/velox-tui"));
        assert_eq!(with("not/absolute").unwrap(), Path::new("/people/me/.local/state/velox-tui"));
    }
}
