//! Runs that a person saved under a name: one YAML file each, in one folder. It runs nothing.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::config::private;
use crate::core::fault::{Blame, Fault, Place};

use super::plan::Request;
use super::registry::unknown;

/// Longest name of a preset, characters: it is a file's name and a line of a list.
pub const NAME_CHARACTERS_MAX: usize = 64;

/// The folder of presets. It need not exist until one is saved.
#[derive(Debug, Clone)]
pub struct Presets {
    folder: PathBuf,
}

impl Presets {
    /// The presets of a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Names, in order of the alphabet.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, Fault> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.fault("read the folder", &self.folder, &error)),
        };
        let files = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = files
            .filter_map(|file| file.strip_suffix(".yaml").map(str::to_owned))
            .filter(|name| is_legal(name))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Saves a request under a name; one saved before is replaced whole or not at all.
    ///
    /// # Errors
    /// A name that is no name for a file, or a folder that cannot be written.
    pub fn save(&self, name: &str, request: &Request) -> Result<(), Fault> {
        let path = self.path(name)?;
        let text = serde_yaml::to_string(request)
            .map_err(|error| Fault::new(Blame::Program, format!("the preset `{name}` cannot be written: {error}")))?;
        let unfinished = self.folder.join(format!(".{name}.{}", std::process::id()));
        private::folder(&self.folder)
            .and_then(|()| private::write(&unfinished, text.as_bytes()))
            .and_then(|()| fs::rename(&unfinished, &path))
            .map_err(|error| self.fault("save", &path, &error))
    }

    /// The request of a name.
    ///
    /// # Errors
    /// No such preset, or a file that does not hold one.
    pub fn load(&self, name: &str) -> Result<Request, Fault> {
        let path = self.path(name)?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(unknown("preset", name, self.names()?.iter().map(String::as_str)));
            }
            Err(error) => return Err(self.fault("read", &path, &error)),
        };
        serde_yaml::from_str(&text).map_err(|error| {
            let place = error.location().map_or_else(
                || Place::file(path.display().to_string()),
                |at| Place::at(path.display().to_string(), at.line() as u32, at.column() as u32),
            );
            Fault::new(Blame::Configuration, format!("the preset `{name}` is not one: {error}")).at(place)
        })
    }

    /// Removes a preset; whether it was there.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove(&self, name: &str) -> Result<bool, Fault> {
        let path = self.path(name)?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.fault("remove", &path, &error)),
        }
    }

    fn path(&self, name: &str) -> Result<PathBuf, Fault> {
        match is_legal(name) {
            true => Ok(self.folder.join(format!("{name}.yaml"))),
            false => Err(Fault::new(Blame::Operator, format!("`{name}` is no name for a preset"))
                .next(format!("take letters, digits, `-` and `_`, at most {NAME_CHARACTERS_MAX}"))),
        }
    }

    fn fault(&self, what: &str, path: &std::path::Path, error: &io::Error) -> Fault {
        Fault::new(Blame::Operator, format!("could not {what} {}: {error}", path.display()))
    }
}

fn is_legal(name: &str) -> bool {
    let legal = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    !name.is_empty() && name.chars().count() <= NAME_CHARACTERS_MAX && name.chars().all(legal)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::core::runner::EventConfig;

    #[test]
    fn what_is_saved_is_loaded_as_it_was_and_replaced_and_removed() {
        let folder = tempfile::TempDir::new().unwrap();
        let presets = Presets::new(folder.path().join("presets"));
        assert_eq!(presets.names().unwrap(), Vec::<String>::new());
        let context = serde_json::json!({"lines": [{"sku": "A", "price": 19.99}]}).as_object().unwrap().clone();
        let mut request = Request { context, rate_events_per_second: Some(10), ..Request::default() };
        request.runner.filters.etls = vec!["orders".into()];
        presets.save("nightly", &request).unwrap();
        request.events = EventConfig { count: 7, ..EventConfig::default() };
        presets.save("nightly", &request).unwrap();
        assert_eq!(presets.load("nightly").unwrap(), request);
        assert_eq!(presets.names().unwrap(), ["nightly"]);
        assert_eq!((presets.remove("nightly").unwrap(), presets.remove("nightly").unwrap()), (true, false));
    }

    #[test]
    fn a_name_cannot_leave_the_folder_and_an_unknown_one_is_answered_with_the_nearest() {
        let folder = tempfile::TempDir::new().unwrap();
        let presets = Presets::new(folder.path());
        for name in ["../x", "a/b", "", ".hidden"] {
            assert!(presets.save(name, &Request::default()).unwrap_err().what.contains("no name"), "{name}");
        }
        presets.save("nightly", &Request::default()).unwrap();
        assert!(presets.load("nigthly").unwrap_err().next.contains("`nightly`"));
    }

    #[test]
    fn a_file_that_is_no_preset_is_said_with_its_place() {
        let folder = tempfile::TempDir::new().unwrap();
        fs::write(folder.path().join("odd.yaml"), "runner: {}\nevnts: {}\n").unwrap();
        let fault = Presets::new(folder.path()).load("odd").unwrap_err();
        assert!(fault.what.contains("evnts") && fault.place.unwrap().line > 0);
    }
}
