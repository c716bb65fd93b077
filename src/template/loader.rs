//! Reads template files, and only those under the template folder (or, where there is none, those compiled in): no `..`,
//! no absolute path, no link that leads out.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::fault::{TemplateFault, TemplateFaultKind};
use super::shipped;
use crate::core::fault::Place;
use crate::core::words::did_you_mean;

/// Largest template file, bytes: a thousand times a usual payload, and still read in a blink.
pub const TEMPLATE_BYTES_MAX: u64 = 1 << 20;

/// Where payload templates stand under the template folder.
pub const PAYLOADS: &str = "payloads";

/// A template's text and the path it came from, as a person would type it.
pub(super) struct Source {
    pub path: PathBuf,
    pub text: String,
}

/// The folder that templates are read from.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    shipped_when_absent: bool,
}

impl<P: Into<PathBuf>> From<P> for Folder {
    fn from(path: P) -> Self {
        Self { path: path.into(), shipped_when_absent: false }
    }
}

impl Folder {
    /// A folder for which the files compiled into the program stand in as long as it does not exist.
    pub fn or_shipped(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), shipped_when_absent: true }
    }

    /// The path, whether or not there is such a folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn uses_shipped(&self) -> bool {
        self.shipped_when_absent && !self.path.exists()
    }

    /// Reads `name` from `payloads/` or, failing that, from the folder itself.
    pub(super) fn read(&self, name: &str) -> Result<Source, TemplateFault> {
        let wanted = self.path.join(PAYLOADS).join(name);
        let refuse = |what: String| {
            let place = Place::file(wanted.display().to_string());
            TemplateFault::new(TemplateFaultKind::NotFound, what, place)
        };
        let plain = !name.is_empty() && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        if !plain || name.contains(['\\', '\0', ':']) {
            return Err(refuse(format!("template `{name}` is not a plain path inside `{}`", self.path.display()))
                .next("name it relative to the template folder, without `..`"));
        }
        let shipped = self.uses_shipped();
        for inside in [format!("{PAYLOADS}/{name}"), name.to_owned()] {
            let path = self.path.join(&inside);
            if shipped {
                let Some(text) = shipped::file(&inside) else { continue };
                return Ok(Source { path, text: text.into() });
            }
            let Ok(real) = path.canonicalize() else { continue };
            if !self.path.canonicalize().is_ok_and(|root| real.starts_with(root)) {
                return Err(refuse(format!("template `{name}` leads out of `{}`", self.path.display()))
                    .next("copy the file into the template folder: links that lead out are not followed"));
            }
            let text = read_bounded(&real).map_err(|why| refuse(format!("template `{name}` cannot be read: {why}")))?;
            return Ok(Source { path, text });
        }
        let known = if shipped { shipped_names() } else { names(&self.path) };
        let advice = did_you_mean(name, known.iter().map(String::as_str))
            .unwrap_or_else(|| format!("put the file into `{}`", self.path.join(PAYLOADS).display()));
        Err(refuse(format!("template not found: {name}")).next(advice))
    }
}

fn read_bounded(path: &Path) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(TEMPLATE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if TEMPLATE_BYTES_MAX < text.len() as u64 {
        return Err(format!("it is larger than {TEMPLATE_BYTES_MAX} bytes"));
    }
    Ok(text)
}

/// The shipped payload templates, for advice.
fn shipped_names() -> Vec<String> {
    let payload = |name: &'static str| name.strip_prefix(PAYLOADS)?.strip_prefix('/');
    shipped::names().filter_map(payload).map(str::to_owned).collect()
}

/// Template files directly under `payloads/` and the folder, for advice; a missing folder has none.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = [folder.join(PAYLOADS), folder.to_owned()]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten())
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
