//! How the jobs of a text are called: for people, in their folders, and among all jobs of a cluster. It starts none.

use std::path::{Path, PathBuf};

use super::run::RunArguments;
use super::text::Source;
use crate::cli::Failure;
use crate::core::fault::Fault;
use crate::kafka::admin::off_the_async_threads;
use crate::sql::parse::statement::StreamQuery;
use crate::sql::plan::wishes::{JOB_NAME_MAX, Settings};
use crate::sql::state::mark::Mark;

/// How the jobs of one text are called.
pub(super) struct Names {
    /// What the text is called: its `@app`, else its file's name; nothing for what came without a file.
    script: String,
    folder: Option<PathBuf>,
    mark: Mark,
    /// The file, where its name is what tells the text from others.
    file: Option<String>,
}

/// How one job is called.
pub(super) struct Named {
    /// For people, and in its folder.
    pub name: String,
    /// No other job of the cluster has it: transactional ids and temporary files carry it.
    pub id: String,
    /// Where it remembers, under its name.
    pub folder: Option<PathBuf>,
    /// The file of its text from the root on, where that is called by its file's name.
    pub script: Option<String>,
}

impl Names {
    pub async fn of(arguments: &RunArguments, source: &Source) -> Result<Self, Failure> {
        let app = source.script.annotations.iter().find(|annotation| annotation.key == "app");
        let file = arguments.input.file.as_deref().filter(|file| file.as_os_str() != "-");
        let stem = file.and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
        let script = app.map(|app| app.value.clone()).or(stem).unwrap_or_default();
        let folder = arguments.state_dir.clone();
        let mark = match folder.clone() {
            Some(folder) => off_the_async_threads(move || Mark::of(&folder)).await?,
            None => Mark::passing(),
        };
        let file = match file.filter(|_| app.is_none()).map(Path::to_owned) {
            Some(file) => off_the_async_threads(move || Ok(std::fs::canonicalize(file).ok())).await?,
            None => None,
        };
        let file = file.map(|file| file.to_string_lossy().into_owned());
        Ok(Self { script: as_file_name(&script), folder, mark, file })
    }

    pub fn job(&self, name: String, query: &StreamQuery) -> Result<Named, Fault> {
        if let Some(name) = Settings::read(&query.options)?.job_name {
            return Ok(Named { id: name.clone(), name, folder: self.folder.clone(), script: None });
        }
        let id = self.mark.job(&self.script, &name);
        let folder = self.folder.as_ref().map(|folder| folder.join(&self.script));
        Ok(Named { name, id, folder, script: self.file.clone() })
    }
}

/// A text as the name of a folder.
fn as_file_name(text: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '_' };
    text.trim_start_matches('.').chars().map(plain).take(JOB_NAME_MAX).collect()
}
