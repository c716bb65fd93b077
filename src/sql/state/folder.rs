//! Checkpoints in a folder: temporary name, fsync, rename, fsync of the folder. It reads nothing outside of it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::store::Store;
use crate::config::private;
use crate::core::fault::{Blame, Fault};

/// The file whose lock says that a process runs the job.
const LOCK: &str = "lock";
/// What a file is called while it is written.
const UNFINISHED: &str = "unfinished";

/// A folder.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`, made when it is first written to.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn fault(&self, doing: &str, path: &Path, error: &io::Error) -> Fault {
        let next = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "make room on that disk; the job goes on from its last checkpoint"
            }
            io::ErrorKind::PermissionDenied => "give this user the right, or name another folder with --state-dir",
            _ => "",
        };
        Fault::new(Blame::Operator, format!("could not {doing} {}: {error}", path.display())).next(next)
    }
}

impl Store for Folder {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn hold(&self) -> Result<Box<dyn Send + Sync>, Fault> {
        let path = self.path.join(LOCK);
        private::folder(&self.path).map_err(|error| self.fault("make", &self.path, &error))?;
        let file = private::options()
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| self.fault("open", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(fs::TryLockError::WouldBlock) => {
                let what = format!("another process runs the job whose checkpoints are in {}", self.path.display());
                Err(Fault::new(Blame::Operator, what).next("stop it first, or give this job another name"))
            }
            Err(fs::TryLockError::Error(error)) => Err(self.fault("lock", &path, &error)),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.path.join(name);
        let folder = path.parent().unwrap_or(&self.path);
        let unfinished = path.with_extension(UNFINISHED);
        let written = || -> io::Result<()> {
            private::folder(folder)?;
            let mut file = private::create(&unfinished)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            File::open(folder)?.sync_all()?;
            // The folder itself may be new: its own name must survive too.
            if let Some(above) = folder.parent() {
                File::open(above)?.sync_all()?;
            }
            Ok(())
        };
        written().map_err(|error| self.fault("write", &path, &error))
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let path = self.path.join(name);
        fs::read(&path).map_err(|error| self.fault("read", &path, &error))
    }

    fn list(&self, under: &str) -> Result<Vec<String>, Fault> {
        let path = self.path.join(under);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.fault("list", &path, &error)),
        };
        let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        let mut names = names.collect::<io::Result<Vec<_>>>().map_err(|error| self.fault("list", &path, &error))?;
        names.sort();
        Ok(names)
    }

    fn remove(&self, under: &str) -> Result<(), Fault> {
        let path = self.path.join(under);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.fault("remove", &path, &error)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_written_is_read_and_listed_and_removed() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().join("job"));
        assert_eq!(folder.list("checkpoints").unwrap(), [""; 0]);
        folder.write("checkpoints/2/manifest.json", b"two").unwrap();
        folder.write("checkpoints/1/manifest.json", b"one").unwrap();
        folder.write("checkpoints/1/manifest.json", b"one again").unwrap();
        assert_eq!(folder.list("checkpoints").unwrap(), ["1", "2"]);
        assert_eq!(folder.list("checkpoints/1").unwrap(), ["manifest.json"]);
        assert_eq!(folder.read("checkpoints/1/manifest.json").unwrap(), b"one again");
        folder.remove("checkpoints/1").unwrap();
        folder.remove("checkpoints/1").unwrap();
        assert_eq!(folder.list("checkpoints").unwrap(), ["2"]);
    }

    #[test]
    fn two_cannot_run_one_job() {
        let place = tempfile::tempdir().unwrap();
        let held = Folder::new(place.path()).hold().unwrap();
        let fault = Folder::new(place.path()).hold().err().unwrap();
        assert!(fault.what.starts_with("another process runs the job"), "{fault}");
        drop(held);
        Folder::new(place.path()).hold().unwrap();
    }
}
