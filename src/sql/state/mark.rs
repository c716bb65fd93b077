//! What tells a job from every other of its cluster: a mark that its state folder keeps. Transactional ids and temporary
//! files carry it, it goes where the folder goes, and it never changes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::manifest::sha256;
use crate::config::private;
use crate::core::fault::{Blame, Fault};

/// The file in the state folder.
const FILE: &str = "mark";
/// Letters of a mark behind a job's name: 48 bits, so that a million jobs of one cluster are still apart.
const LETTERS: usize = 12;

/// The mark of a state folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// A mark of its own for a run that remembers nothing: there is no other run of the same job.
    pub fn passing() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }

    /// The mark of a folder, which is made with one where it is not there. Blocks.
    ///
    /// # Errors
    /// A folder that cannot be read or written.
    pub fn of(folder: &Path) -> Result<Self, Fault> {
        let path = folder.join(FILE);
        let kept = || -> io::Result<String> {
            private::folder(folder)?;
            match fs::read_to_string(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                found => return found,
            }
            // Two processes may begin at once: whoever links first has named it, and nobody sees half of a name.
            let Self(own) = Self::passing();
            let draft = folder.join(format!("{FILE}-{own}"));
            let mut file = private::options().create_new(true).open(&draft)?;
            file.write_all(own.as_bytes())?;
            file.sync_all()?;
            match fs::hard_link(&draft, &path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                // A file system without links: nobody is likely to begin in the same moment.
                Err(_) => fs::rename(&draft, &path)?,
            }
            fs::remove_file(&draft).ok();
            File::open(folder)?.sync_all()?;
            fs::read_to_string(&path)
        };
        let found = kept().map_err(|error| {
            let what = format!("could not keep the mark of the state in {}: {error}", path.display());
            Fault::new(Blame::Operator, what).next("give this user the right, or name another --state-dir")
        })?;
        match found.trim() {
            "" => Err(Fault::new(Blame::Operator, format!("{} is empty", path.display()))
                .next("restore it, or name another --state-dir to begin anew")),
            found => Ok(Self(found.to_owned())),
        }
    }

    /// The id of a statement's job: its name, and what tells it from those of other scripts and folders.
    pub fn job(&self, script: &str, name: &str) -> String {
        let mark = sha256(format!("{}\0{script}\0{name}", self.0).as_bytes());
        format!("{name}-{}", &mark[..LETTERS])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_job_keeps_its_id_and_no_other_script_name_or_folder_has_it() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let id = |folder: &Path, script: &str, name: &str| Mark::of(folder).unwrap().job(script, name);
        let first = id(one.path(), "orders", "insert-1");
        assert!(first.starts_with("insert-1-"), "{first}");
        assert_eq!(id(one.path(), "orders", "insert-1"), first);
        let moved = one.path().join("moved");
        fs::create_dir(&moved).unwrap();
        fs::copy(one.path().join(FILE), moved.join(FILE)).unwrap();
        assert_eq!(id(&moved, "orders", "insert-1"), first, "the mark goes where the folder goes");
        for another in [
            id(one.path(), "payments", "insert-1"),
            id(one.path(), "orders", "insert-2"),
            id(other.path(), "orders", "insert-1"),
            Mark::passing().job("orders", "insert-1"),
        ] {
            assert_ne!(another, first);
        }
    }

    #[test]
    fn those_who_begin_at_once_have_one_mark() {
        let folder = tempfile::tempdir().unwrap();
        let marks: Vec<Mark> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| Mark::of(folder.path()).unwrap())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(marks.iter().all(|mark| *mark == marks[0]), "{marks:?}");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["mark"]);
    }
}
