//! Where configuration is looked for, and the files found there. It reads files and nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::core::fault::{Blame, Fault, Place};
use crate::template::Folder;

use super::shipped;

/// Largest file that is read, bytes: a configuration of this size is a mistake, such as a dump under a wrong name.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What in a configuration folder defines something.
const DEFINING: [&str; 4] = ["environments", "etl", "runner.yaml", "console.yaml"];

/// Where to look. `Debug` shows names of variables, never their values.
#[derive(Clone)]
pub struct Sources {
    /// Folder with `environments/`, `etl/`, `runner.yaml` and `console.yaml`.
    pub config_dir: PathBuf,
    /// The folder with `payloads/`.
    pub templates: Folder,
    /// The `.env` file; it must exist if named. `None`: no such file is read.
    pub env_file: Option<PathBuf>,
    /// The process environment. It wins over `.env`, because it is loaded after it.
    pub process_environment: BTreeMap<String, String>,
    /// Whether the files compiled into the program stand in for a `config_dir` that defines nothing.
    pub shipped_when_absent: bool,
}

impl Sources {
    /// What the program uses: what flags name, else `config`, `templates` and (where there is one) `.env` in the
    /// working directory, and the real process environment. A folder that a flag names must exist.
    pub fn standard(config_dir: Option<PathBuf>, template_dir: Option<PathBuf>, env_file: Option<PathBuf>) -> Self {
        Self {
            shipped_when_absent: config_dir.is_none(),
            config_dir: config_dir.unwrap_or_else(|| "config".into()),
            templates: template_dir.map_or_else(|| Folder::or_shipped("templates"), Folder::from),
            env_file: env_file.or_else(|| Some(PathBuf::from(".env")).filter(|file| file.exists())),
            process_environment: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        }
    }

    /// A configuration folder and nothing of the machine around it: no `.env`, no process environment.
    pub fn folder(config_dir: impl Into<PathBuf>) -> Self {
        Self {
            config_dir: config_dir.into(),
            templates: "templates".into(),
            env_file: None,
            process_environment: BTreeMap::new(),
            shipped_when_absent: false,
        }
    }

    /// Whether the files compiled into the program are used: as long as nothing in the folder defines anything, for
    /// schemas and saved texts of SQL are also written there.
    pub fn uses_shipped(&self) -> bool {
        self.shipped_when_absent && !DEFINING.iter().any(|name| self.config_dir.join(name).exists())
    }

    /// A file by its path under the configuration folder; `None` where there is none.
    pub(super) fn file(&self, name: &str) -> Option<SourceFile> {
        if self.uses_shipped() {
            return shipped::file(name)
                .map(|text| SourceFile { path: self.config_dir.join(name), text: Ok(text.into()) });
        }
        let path = self.config_dir.join(name);
        path.exists().then(|| SourceFile::read(path))
    }

    /// The YAML files of a folder by name. Names that begin with `.` or `_` are left out: `_base.yaml` is there to be extended.
    pub(super) fn folder_files(&self, folder: &str) -> Vec<SourceFile> {
        if self.uses_shipped() {
            return shipped::names(folder).filter_map(|name| self.file(name)).collect();
        }
        let Ok(entries) = fs::read_dir(self.config_dir.join(folder)) else { return Vec::new() };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| is_listed(path)).collect();
        paths.sort();
        paths.into_iter().map(SourceFile::read).collect()
    }
}

/// Starters of SQL by name, with their texts: those of `sql/gallery/` in the configuration folder, else those compiled in.
pub fn starters(sources: &Sources) -> Vec<(String, String)> {
    let name = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".sql");
        name.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '-').to_owned()
    };
    let folder = sources.config_dir.join("sql/gallery");
    let mut paths: Vec<_> = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    if paths.is_empty() {
        let texts =
            shipped::names("sql/gallery").filter_map(|path| Some((name(path), shipped::file(path)?.to_owned())));
        return texts.collect();
    }
    let read = |path: &PathBuf| {
        let small = fs::metadata(path).is_ok_and(|data| data.len() <= FILE_BYTES_MAX);
        Some((name(&path.to_string_lossy()), small.then(|| fs::read_to_string(path).ok()).flatten()?))
    };
    paths.iter().filter_map(read).collect()
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("config_dir", &self.config_dir)
            .field("templates", &self.templates)
            .field("env_file", &self.env_file)
            .field("process_environment", &self.process_environment.keys().collect::<Vec<_>>())
            .field("shipped_when_absent", &self.shipped_when_absent)
            .finish()
    }
}

fn is_listed(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    yaml && !name.starts_with(['.', '_']) && path.is_file()
}

/// A file and its text, or why it could not be read.
pub(super) struct SourceFile {
    pub path: PathBuf,
    pub text: Result<String, Fault>,
}

impl SourceFile {
    pub fn read(path: PathBuf) -> Self {
        let text = read_text(&path);
        Self { path, text }
    }

    /// The path as the person would type it.
    pub fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// The file's name without folder and extension.
    pub fn stem(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The text of a file that is not too large.
pub(super) fn read_text(path: &Path) -> Result<String, Fault> {
    let place = Place::file(path.display().to_string());
    let fault = |what: String| Fault::new(Blame::Configuration, what).at(place.clone());
    let size = fs::metadata(path).map_err(|error| fault(format!("this file cannot be read: {}", error.kind())))?.len();
    if FILE_BYTES_MAX < size {
        return Err(fault(format!("this file has {size} bytes, more than the {FILE_BYTES_MAX} that are read")));
    }
    let bytes = fs::read(path).map_err(|error| fault(format!("this file cannot be read: {}", error.kind())))?;
    String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        let mut fault = fault("this file is not UTF-8 text".into()).next("save it as UTF-8");
        fault.place = Some(Place { line: line as u32, ..place.clone() });
        fault
    })
}
