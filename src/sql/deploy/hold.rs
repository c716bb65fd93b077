//! Who holds a folder: a lock that ends with its process, and beside it who that is. It waits for nobody.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::now_ms;
use crate::config::private;
use crate::core::fault::{Blame, Fault};

const LOCK: &str = "holder.lock";
const WHO: &str = "holder.json";

/// Tries before a folder counts as held: whoever only looks holds the lock for a moment.
const TRIES: u32 = 5;
/// Between two of them.
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// A process that holds a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its number; 0 where it is not known.
    pub process: u32,
    /// Its machine.
    pub host: String,
    /// What it is: `console`, `velox-tui jobs resume`.
    pub program: String,
    /// Since when, milliseconds since 1970.
    pub since_ms: i64,
}

impl Holder {
    /// This process, from now on.
    pub fn this(program: &str) -> Self {
        Self { process: std::process::id(), host: host(), program: program.to_owned(), since_ms: now_ms() }
    }

    /// Whether it is this process.
    pub fn is_this(&self) -> bool {
        self.process == std::process::id() && self.host == host()
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let since = jiff::Timestamp::from_millisecond(self.since_ms).unwrap_or_default();
        match self.process {
            0 => f.write_str("another process"),
            process => write!(f, "{} (process {process} on {} since {since:.0})", self.program, self.host),
        }
    }
}

/// A folder that is held until this is dropped.
#[derive(Debug)]
pub struct Hold {
    _lock: File,
    who: PathBuf,
}

impl Hold {
    /// Holds a folder, which is made where it does not exist. `Err` of the inner result says who does.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn take(folder: &Path, program: &str) -> Result<Result<Self, Holder>, Fault> {
        let cannot = |error: io::Error| {
            Fault::new(Blame::Operator, format!("cannot hold {}: {error}", folder.display()))
                .next("give this user the right, or name another folder with --state-dir")
        };
        private::folder(folder).map_err(cannot)?;
        let lock = opened(folder).map_err(cannot)?;
        for attempt in 1.. {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < TRIES => std::thread::sleep(BETWEEN_TRIES),
                Err(TryLockError::WouldBlock) => return Ok(Err(named(folder))),
                Err(TryLockError::Error(error)) => return Err(cannot(error)),
            }
        }
        let who = folder.join(WHO);
        let text = serde_json::to_vec_pretty(&Holder::this(program)).unwrap_or_default();
        super::shelf::write_whole(&who, &text).map_err(cannot)?;
        Ok(Ok(Self { _lock: lock, who }))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // The lock says whether it is held; what is written beside it would only mislead.
        fs::remove_file(&self.who).ok();
    }
}

/// Who holds a folder now, if anybody does.
pub fn holder(folder: &Path) -> Option<Holder> {
    let lock = File::open(folder.join(LOCK)).ok()?;
    settled(|| match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(named(folder)),
        _ => None,
    })
}

/// A holder without a name is about to let go, or has just begun to hold: the next look tells.
fn settled(mut look: impl FnMut() -> Option<Holder>) -> Option<Holder> {
    for _ in 1..TRIES {
        match look() {
            Some(holder) if holder.process == 0 => std::thread::sleep(BETWEEN_TRIES),
            seen => return seen,
        }
    }
    look()
}

fn opened(folder: &Path) -> io::Result<File> {
    private::options().create(true).truncate(false).read(true).open(folder.join(LOCK))
}

/// What the holder wrote about itself; it may be about to.
fn named(folder: &Path) -> Holder {
    let unknown = || Holder { process: 0, host: String::new(), program: String::new(), since_ms: 0 };
    let text = fs::read(folder.join(WHO)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_else(|_| unknown())
}

fn host() -> String {
    let named = fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    let set = || std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok();
    named.filter(|name| !name.is_empty()).or_else(set).unwrap_or_else(|| "this machine".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_second_is_told_who_holds_and_takes_it_when_the_first_has_gone() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(holder(place.path()), None);
        let held = Hold::take(place.path(), "console").unwrap().unwrap();
        let who = Hold::take(place.path(), "another").unwrap().unwrap_err();
        assert!(who.is_this() && who.program == "console", "{who}");
        assert_eq!(holder(place.path()), Some(who));
        drop(held);
        assert_eq!(holder(place.path()), None);
        Hold::take(place.path(), "another").unwrap().unwrap();
    }

    #[test]
    fn one_that_is_being_let_go_is_held_by_nobody_rather_than_by_somebody_unknown() {
        // Letting go is two steps: the name goes before the lock.
        let unknown = || Some(Holder { process: 0, ..Holder::this("console") });
        let mut looks = [unknown(), unknown(), None].into_iter();
        assert_eq!(settled(|| looks.next().flatten()), None);
        assert_eq!(settled(unknown), unknown(), "one whose name cannot be read is one all the same");
    }
}
