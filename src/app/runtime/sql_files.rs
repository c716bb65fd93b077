//! Files of pane 3: those under `config/sql/`, the starters, and what an earlier console kept. Written beside and put in place,
//! so that a crash leaves the old one or the new one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Runtime, off_the_async_threads};
use crate::app::effect::Effect;
use crate::app::fact::Fact;
use crate::app::model::Note;
use crate::app::model::sql::{KeptDesk, SqlFile, file_name};
use crate::config::{Sources, private, starters};
use crate::core::fault::{Blame, Fault, Place};

/// Files listed: beyond, a list is no help.
const FILES_MAX: usize = 500;
/// Bytes of a file that is opened: what the configuration reads of one at most.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes of all files together that are held for the list.
const ALL_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Name of what is kept, in the state folder.
const KEPT: &str = "sql-desk.json";

impl Runtime {
    /// What is read and written for pane 3.
    pub(super) fn desk(&self, effect: Effect) {
        let (sources, state) = (self.sources.clone(), self.state.clone());
        self.supervisor.ask("the files of SQL", async move {
            let done = off_the_async_threads(move || {
                Ok(match effect {
                    Effect::ReadSql => Fact::SqlRead {
                        files: files(&sources),
                        kept: state.as_deref().map_or_else(|| Ok(KeptDesk::default()), kept),
                    },
                    Effect::SaveSql { buffer, name, text, over } => {
                        let (name, path) = save(&sources, &name, &text, over)?;
                        Fact::SqlSaved { buffer, name, path: path.display().to_string(), text }
                    }
                    Effect::KeepSql(kept) => {
                        if let Some(state) = &state {
                            keep(state, &kept)?;
                        }
                        Fact::SqlKept
                    }
                    _ => Fact::SqlFiles(files(&sources)),
                })
            });
            done.await.unwrap_or_else(|fault: Fault| Fact::Said(Note::danger(fault.to_string())))
        });
    }
}

/// The files of `config/sql/` by name, then the starters.
pub fn files(sources: &Sources) -> Vec<SqlFile> {
    let folder = sources.config_dir.join("sql");
    let (mut files, mut bytes) = (Vec::new(), 0);
    for path in paths(&folder) {
        let Ok(length) = fs::metadata(&path).map(|data| data.len()) else { continue };
        bytes += length;
        if FILE_BYTES_MAX < length || ALL_BYTES_MAX < bytes || FILES_MAX <= files.len() {
            continue;
        }
        if let (Ok(text), Some(name)) = (fs::read_to_string(&path), path.file_stem().and_then(|stem| stem.to_str())) {
            files.push(file(name, text, false));
        }
    }
    files.extend(starters(sources).into_iter().map(|(name, text)| file(&name, text, true)));
    files
}

/// Saves a text as `config/sql/NAME.sql`. Gives the name and the path.
///
/// # Errors
/// The name is not one of a file, there is one already that `over` does not allow to be replaced, or it cannot be written.
pub fn save(sources: &Sources, name: &str, text: &str, over: bool) -> Result<(String, PathBuf), Fault> {
    let name = file_name(name)?;
    let folder = sources.config_dir.join("sql");
    let path = folder.join(format!("{name}.sql"));
    if !over && path.exists() {
        return Err(Fault::new(Blame::Operator, format!("there is a file {} already", path.display()))
            .next("give another name, or open that one and save it"));
    }
    fs::create_dir_all(&folder)
        .and_then(|()| put(&path, |beside| fs::write(beside, text)))
        .map_err(|error| failed(&path, &error))?;
    Ok((name.to_owned(), path))
}

/// What an earlier console kept; nothing where there is no such file.
///
/// # Errors
/// The file is there and cannot be read.
pub fn kept(state: &Path) -> Result<KeptDesk, Fault> {
    let path = state.join(KEPT);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(KeptDesk::default()),
        Err(error) => return Err(failed(&path, &error)),
    };
    serde_json::from_str(&text).map_err(|error| {
        Fault::new(Blame::Operator, format!("the texts of the last session cannot be read: {error}"))
            .at(Place::file(path.display().to_string()))
            .next("mend the file or take it away; until then nothing is kept")
    })
}

/// Keeps texts and history for the next console.
///
/// # Errors
/// The file cannot be written.
pub fn keep(state: &Path, kept: &KeptDesk) -> Result<(), Fault> {
    let path = state.join(KEPT);
    let text = serde_json::to_vec(kept).map_err(|error| Fault::new(Blame::Program, error.to_string()))?;
    // What was typed may hold secrets: it is its owner's alone.
    private::folder(state)
        .and_then(|()| put(&path, |beside| private::write(beside, &text)))
        .map_err(|error| failed(&path, &error))
}

fn file(name: &str, text: String, is_starter: bool) -> SqlFile {
    let about = text.lines().find_map(|line| line.trim().strip_prefix("--")).map(str::trim).unwrap_or_default();
    SqlFile { name: name.to_owned(), about: about.to_owned(), text, is_starter }
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    paths.sort();
    paths
}

fn put(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    write(&beside)?;
    fs::rename(&beside, path)
}

fn failed(path: &Path, error: &io::Error) -> Fault {
    Fault::new(Blame::Operator, error.to_string()).at(Place::file(path.display().to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::app::model::sql::Buffer;

    #[test]
    fn a_saved_text_is_listed_with_what_it_is_about() {
        let folder = tempfile::tempdir().unwrap();
        let sources = Sources::folder(folder.path());
        let (name, path) = save(&sources, "spend.sql", "-- Spend\nSELECT 1", false).unwrap();
        assert_eq!((name.as_str(), path), ("spend", folder.path().join("sql/spend.sql")));
        let files = files(&sources);
        let listed = files.iter().find(|file| !file.is_starter).unwrap();
        assert_eq!((listed.name.as_str(), listed.about.as_str()), ("spend", "Spend"));
        assert!(save(&sources, "spend", "SELECT 2", false).unwrap_err().what.contains("already"));
        save(&sources, "spend", "SELECT 2", true).unwrap();
        assert_eq!(std::fs::read_dir(folder.path().join("sql")).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_name_stays_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let sources = Sources::folder(folder.path());
        for name in ["", "../x", "a/b", ".hidden", "x\ny"] {
            assert!(save(&sources, name, "SELECT 1", false).is_err(), "{name:?}");
        }
    }

    #[test]
    fn what_is_kept_comes_back_and_a_broken_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(kept(folder.path()).unwrap(), KeptDesk::default());
        let buffer = Buffer { name: "a".into(), text: "SELECT 1".into(), caret: 3, saved: None };
        let desk = KeptDesk { buffers: vec![buffer], current: 0, history: ["SELECT 1".to_owned()].into() };
        keep(folder.path(), &desk).unwrap();
        assert_eq!(kept(folder.path()).unwrap(), desk);
        std::fs::write(folder.path().join(KEPT), "{").unwrap();
        assert!(kept(folder.path()).unwrap_err().what.contains("cannot be read"));
    }
}
