//! Files that a person asks for: exports in the working folder, and named presets of runs in the state folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::{Zoned, tz::TimeZone};

use crate::app::action::{Export, RunRequest};
use crate::app::model::runs::Preset;
use crate::clock;
use crate::config::private;
use crate::core::fault::{Blame, Fault, Place};

/// Presets read at most: beyond, a list is no help.
const PRESETS_MAX: usize = 500;
/// Longest name of a preset, letters: it is a file's name and a line of a list.
const NAME_LETTERS_MAX: usize = 60;

/// Writes a new file in the folder; nothing is overwritten. Gives its path.
///
/// # Errors
/// The file cannot be written.
pub fn export(folder: &Path, export: &Export) -> Result<PathBuf, Fault> {
    let now: Zoned = clock::now().to_zoned(TimeZone::system());
    let stem = format!("velox-{}-{}", plain(&export.name), now.strftime("%Y%m%d-%H%M%S"));
    for number in 0..100 {
        let name = match number {
            0 => format!("{stem}.{}", export.ending),
            number => format!("{stem}-{number}.{}", export.ending),
        };
        let path = folder.join(name);
        match OpenOptions::new().create_new(true).write(true).open(&path) {
            Ok(mut file) => {
                file.write_all(export.text.as_bytes()).map_err(|error| failed(&path, &error))?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&path, &error)),
        }
    }
    Err(Fault::new(Blame::Operator, format!("there are a hundred files `{stem}` already")))
}

/// Keeps a run under a name; one of the same name is replaced.
///
/// # Errors
/// The name is not one of a file, or the file cannot be written.
pub fn save_preset(folder: &Path, name: &str, run: &RunRequest) -> Result<Preset, Fault> {
    let name = name.trim();
    if name.is_empty() || plain(name) != name || NAME_LETTERS_MAX < name.chars().count() {
        return Err(Fault::new(Blame::Operator, format!("`{name}` cannot name a preset"))
            .next(format!("use up to {NAME_LETTERS_MAX} letters, digits, `-`, `_` and `.`")));
    }
    let folder = folder.join("presets");
    let path = folder.join(format!("{name}.yaml"));
    let text = serde_yaml::to_string(run).map_err(|error| Fault::new(Blame::Program, error.to_string()))?;
    private::folder(&folder).map_err(|error| failed(&folder, &error))?;
    // Written beside it and put in its place: a crash leaves the old one or the new one.
    let beside = folder.join(format!(".{name}.new"));
    private::write(&beside, text.as_bytes()).map_err(|error| failed(&beside, &error))?;
    fs::rename(&beside, &path).map_err(|error| failed(&path, &error))?;
    Ok(Preset { name: name.to_owned(), run: run.clone() })
}

/// Takes the file of a preset away; one that is gone already is no fault.
///
/// # Errors
/// The file cannot be taken away.
pub fn forget_preset(folder: &Path, name: &str) -> Result<(), Fault> {
    let path = folder.join("presets").join(format!("{name}.yaml"));
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&path, &error)),
        _ => Ok(()),
    }
}

/// All presets by name, and what is wrong with those that cannot be read.
pub fn presets(folder: &Path) -> (Vec<Preset>, Vec<Fault>) {
    let Ok(entries) = fs::read_dir(folder.join("presets")) else { return (Vec::new(), Vec::new()) };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    let (mut presets, mut faults) = (Vec::new(), Vec::new());
    for path in paths.into_iter().take(PRESETS_MAX) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let read = fs::read_to_string(&path).map_err(|error| error.to_string());
        match read.and_then(|text| serde_yaml::from_str(&text).map_err(|error| error.to_string())) {
            Ok(run) => presets.push(Preset { name, run }),
            Err(what) => faults.push(
                Fault::new(Blame::Configuration, format!("this preset cannot be read: {what}"))
                    .at(Place::file(path.display().to_string())),
            ),
        }
    }
    (presets, faults)
}

/// Letters that are safe in a file's name anywhere; others become `_`.
pub fn plain(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '_' })
        .collect();
    plain.trim_start_matches('.').to_owned()
}

fn failed(path: &Path, error: &io::Error) -> Fault {
    Fault::new(Blame::Operator, format!("`{}` cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn run() -> RunRequest {
        RunRequest {
            etls: vec!["customer_update".into()],
            environments: vec!["sandbox".into()],
            count: 1_000,
            rate: Some(50),
            dry_run: false,
            context: "a: 1".into(),
        }
    }

    #[test]
    fn a_preset_is_read_back_as_it_was_saved() {
        let folder = tempfile::tempdir().unwrap();
        let saved = save_preset(folder.path(), " nightly ", &run()).unwrap();
        assert_eq!(presets(folder.path()), (vec![saved], Vec::new()));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "../x", "a/b", ".hidden"] {
            assert_eq!(save_preset(folder.path(), name, &run()).unwrap_err().blame, Blame::Operator, "{name}");
        }
    }

    #[test]
    fn a_broken_preset_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        save_preset(folder.path(), "good", &run()).unwrap();
        fs::write(folder.path().join("presets/bad.yaml"), "etls: 1").unwrap();
        let (presets, faults) = presets(folder.path());
        assert_eq!((presets.len(), faults.len()), (1, 1));
    }

    #[test]
    fn an_export_never_overwrites() {
        let folder = tempfile::tempdir().unwrap();
        let text = |text: &str| Export { name: "run/1".into(), ending: "json".into(), text: text.into() };
        let one = export(folder.path(), &text("one")).unwrap();
        let two = export(folder.path(), &text("two")).unwrap();
        assert_ne!(one, two);
        assert_eq!(fs::read_to_string(one).unwrap(), "one");
    }
}
