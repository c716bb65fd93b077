//! The folder of deployed jobs: definitions are written whole or not at all, and what another process asks of a job's
//! holder lies beside them. It runs nothing. Calls block.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::definition::{Definition, FORM, Wish, check_name};
use super::hold::{Hold, Holder, holder};
use super::status::{Begun, State, Status};
use crate::config::private;
use crate::core::fault::{Blame, Fault, Place};
use crate::core::words::did_you_mean;
use crate::sql::state::checkpoint;
use crate::sql::state::folder::Folder;

const DEFINITION: &str = "definition.json";
const STATUS: &str = "status.json";
const REQUEST: &str = "request";

/// Jobs that one state folder keeps: each is a folder that a console looks at every few seconds.
pub const JOBS_MAX: usize = 200;

/// What another process asks of a job's holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Write a savepoint and stop.
    Savepoint,
    /// Stop at once.
    Stop,
}

/// The folder of all jobs.
#[derive(Debug, Clone)]
pub struct Shelf {
    state: PathBuf,
}

/// A job as its folder tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// What it is.
    pub definition: Definition,
    /// How it was last.
    pub status: Option<Status>,
    /// Who runs it.
    pub holder: Option<Holder>,
}

impl Kept {
    /// Where it is: what its status says, where its holder has told one; before that it is starting.
    pub fn state(&self) -> Option<State> {
        let is_older = |status: &Status| self.holder.as_ref().is_some_and(|holder| status.at_ms < holder.since_ms);
        self.status.as_ref().map(|status| if is_older(status) { State::Starting } else { status.state })
    }
}

impl Shelf {
    /// The jobs of a state folder, which is made when the first is kept.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        Self { state: state.into() }
    }

    /// The state folder.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The folder of a job.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.state.join("jobs").join(name)
    }

    /// Holds all jobs for a console, which is the one that starts them; `Err` of the inner result says who does.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn hold(&self) -> Result<Result<Hold, Holder>, Fault> {
        Hold::take(&self.state.join("console"), "console")
    }

    /// The console that holds all jobs, if one does.
    pub fn console(&self) -> Option<Holder> {
        holder(&self.state.join("console"))
    }

    /// Holds one job: whoever runs it does.
    ///
    /// # Errors
    /// Another process runs it; the folder cannot be written.
    pub fn hold_job(&self, name: &str, program: &str) -> Result<Hold, Fault> {
        // What was asked of a holder that has gone is not asked of the next one; what is asked from here on is.
        if holder(&self.folder(name)).is_none() {
            self.asked(name);
        }
        Hold::take(&self.folder(name), program)?.map_err(|holder| {
            Fault::new(Blame::Operator, format!("`{name}` is run by {holder}"))
                .next(format!("stop it there, or with: velox-tui jobs stop {name}"))
        })
    }

    /// Holds a job that was seen before, and reads what it is now: until it was held, another process may have changed it.
    ///
    /// # Errors
    /// As [`Self::hold_job`]; it was dropped since, and perhaps another was deployed under its name.
    pub fn hold_seen(&self, seen: &Definition, program: &str) -> Result<(Hold, Definition), Fault> {
        // Where it is gone already, holding it would make its folder again.
        self.read(&seen.name)?;
        let hold = self.hold_job(&seen.name, program)?;
        let now = self.read(&seen.name)?.definition;
        if (now.created_ms, &now.environment) != (seen.created_ms, &seen.environment) {
            let what = format!("`{}` was dropped, and another job was deployed under its name", seen.name);
            return Err(Fault::new(Blame::Operator, what).next("look at that one first: velox-tui jobs show NAME"));
        }
        Ok((hold, now))
    }

    /// All jobs by name, and what is wrong with those that cannot be read.
    pub fn list(&self) -> (Vec<Kept>, Vec<Fault>) {
        let mut names: Vec<String> = match fs::read_dir(self.state.join("jobs")) {
            Ok(entries) => entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect(),
            Err(_) => Vec::new(),
        };
        names.sort();
        let (mut kept, mut faults) = (Vec::new(), Vec::new());
        // A folder without a definition is what an attempt left that never came to its first write.
        for name in names.into_iter().filter(|name| self.folder(name).join(DEFINITION).exists()).take(JOBS_MAX) {
            match self.read(&name) {
                Ok(job) => kept.push(job),
                Err(fault) => faults.push(fault),
            }
        }
        (kept, faults)
    }

    /// A job by name.
    ///
    /// # Errors
    /// There is none, or its definition cannot be read.
    pub fn read(&self, name: &str) -> Result<Kept, Fault> {
        check_name(name)?;
        let path = self.folder(name).join(DEFINITION);
        let text = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => self.absent(name),
            _ => failed("read", &path, &error),
        })?;
        let definition: Definition = serde_json::from_slice(&text).map_err(|error| {
            Fault::new(Blame::Operator, format!("is no definition of a job: {error}"))
                .at(Place::file(path.display().to_string()))
                .next("restore the file, or remove the folder to forget the job")
        })?;
        if definition.form > FORM {
            let what = format!("`{name}` was deployed by a newer release (form {})", definition.form);
            return Err(Fault::new(Blame::Operator, what).next("use that release"));
        }
        let status = fs::read(self.folder(name).join(STATUS)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let mut kept = Kept { definition, status, holder: holder(&self.folder(name)) };
        self.look_behind(&mut kept);
        Ok(kept)
    }

    /// What was killed had no time to tell its last checkpoint.
    fn look_behind(&self, kept: &mut Kept) {
        let Kept { definition, status: Some(status), holder: None } = kept else { return };
        if matches!(status.state, State::Done | State::Stopped | State::Failed) {
            return;
        }
        if let Some(newest) = self.newest(definition) {
            (status.checkpoint, status.checkpoint_ms) = (Some(newest.epoch), Some(newest.written_ms));
        }
    }

    /// The newest checkpoint in the folder of a job.
    pub fn newest(&self, definition: &Definition) -> Option<Begun> {
        let newest = checkpoint::newest_manifest(&self.store(definition))?;
        Some(Begun { epoch: newest.epoch, written_ms: newest.written_ms })
    }

    /// Where a job remembers.
    pub fn store(&self, definition: &Definition) -> Folder {
        Folder::new(self.folder(&definition.name).join(definition.run_name()))
    }

    /// The fault of a name that no job has; it names the one that is nearest.
    fn absent(&self, name: &str) -> Fault {
        let fault = Fault::new(Blame::Operator, format!("there is no job `{name}`"));
        let (kept, _) = self.list();
        match did_you_mean(name, kept.iter().map(|job| job.definition.name.as_str())) {
            Some(meant) => fault.next(meant),
            None => fault.next("velox-tui jobs list names them; --state-dir says where else to look"),
        }
    }

    /// Keeps a new job.
    ///
    /// # Errors
    /// One has that name; there are too many; the folder cannot be written.
    pub fn add(&self, definition: &Definition) -> Result<(), Fault> {
        definition.check()?;
        if self.folder(&definition.name).join(DEFINITION).exists() {
            let what = format!("there is a job `{}` already", definition.name);
            return Err(Fault::new(Blame::Operator, what).next(
                "choose another name, drop that one first, or give it this text with `velox-tui sql deploy --replace`",
            ));
        }
        let kept = fs::read_dir(self.state.join("jobs")).map_or(0, Iterator::count);
        if JOBS_MAX <= kept {
            let what = format!("there are {kept} jobs in {} already", self.state.display());
            return Err(Fault::new(Blame::Operator, what).next("drop some: velox-tui jobs drop NAME"));
        }
        self.write(definition)
    }

    /// Writes a definition, whole or not at all.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, definition: &Definition) -> Result<(), Fault> {
        let path = self.folder(&definition.name).join(DEFINITION);
        let text = serde_json::to_vec_pretty(definition)
            .map_err(|error| Fault::new(Blame::Program, format!("a definition cannot be written: {error}")))?;
        write_whole(&path, &text).map_err(|error| failed("write", &path, &error))
    }

    /// Writes how a job is. A status that is lost is written again soon.
    pub fn tell(&self, name: &str, status: &Status) {
        let path = self.folder(name).join(STATUS);
        let written = serde_json::to_vec_pretty(status).map_err(io::Error::other).and_then(|text| {
            let unfinished = path.with_extension("unfinished");
            private::write(&unfinished, &text)?;
            fs::rename(&unfinished, &path)
        });
        if let Err(error) = written {
            tracing::warn!(target: "velox::sql", job = name, "{} cannot be written: {error}", path.display());
        }
    }

    /// Asks a job's holder for something.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn ask(&self, name: &str, request: Request) -> Result<(), Fault> {
        let path = self.folder(name).join(REQUEST);
        let word = match request {
            Request::Savepoint => "savepoint",
            Request::Stop => "stop",
        };
        write_whole(&path, word.as_bytes()).map_err(|error| failed("write", &path, &error))
    }

    /// What was asked of a job's holder; it is taken, and asked no more.
    pub fn asked(&self, name: &str) -> Option<Request> {
        let path = self.folder(name).join(REQUEST);
        let word = fs::read_to_string(&path).ok()?;
        fs::remove_file(&path).ok();
        match word.trim() {
            "savepoint" => Some(Request::Savepoint),
            "stop" => Some(Request::Stop),
            _ => None,
        }
    }

    /// Forgets where a job stood: it begins from scratch.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn forget_state(&self, definition: &Definition) -> Result<(), Fault> {
        let path = self.folder(&definition.name).join(definition.run_name());
        remove(&path)
    }

    /// Writes that a job runs, from its checkpoint or from scratch, and gives it as it is then. The caller holds it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn begin_again(&self, definition: Definition, from_scratch: bool) -> Result<Definition, Fault> {
        // Each beginning from scratch has a name of its own at the sink; the folder of the one before goes with it.
        let generation = definition.generation + u32::from(from_scratch);
        let mut begun = Definition { wish: Wish::Running, generation, ..definition.clone() };
        if from_scratch {
            begun.columns.clear();
        }
        self.write(&begun)?;
        if from_scratch {
            self.forget_state(&definition)?;
        }
        Ok(begun)
    }

    /// Removes a job, its checkpoints with it.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), Fault> {
        check_name(name)?;
        // Without a definition it is no job, should what follows be cut short.
        let folder = self.folder(name);
        remove(&folder.join(DEFINITION))?;
        remove(&folder)
    }
}

fn remove(path: &Path) -> Result<(), Fault> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path, &error)),
        _ => Ok(()),
    }
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Fault {
    Fault::new(Blame::Operator, format!("could not {doing} {}: {error}", path.display()))
        .next("give this user the right, make room, or name another folder with --state-dir")
}

/// Writes a file under another name and renames it; it is durable when this returns.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    private::folder(folder)?;
    let unfinished = path.with_extension("unfinished");
    let mut file = private::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    // A folder cannot be opened everywhere; where it can, its own name is made durable too.
    match File::open(folder) {
        Ok(folder) => folder.sync_all().or(Ok(())),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
#[path = "shelf_tests.rs"]
mod tests;
