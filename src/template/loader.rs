//! Reads template files, and only those under the template folder: no `..`, no absolute path, no link that leads out.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::fault::{TemplateFault, TemplateFaultKind};
use crate::core::fault::Place;

/// Largest template file, bytes: a thousand times a usual payload, and still read in a blink.
pub const TEMPLATE_BYTES_MAX: u64 = 1 << 20;

/// Where payload templates stand under the template folder.
pub const PAYLOADS: &str = "payloads";

/// A template's text and the path it came from, as a person would type it.
pub(super) struct Source {
    pub path: PathBuf,
    pub text: String,
}

/// Reads `name` from `payloads/` or, failing that, from the folder itself.
pub(super) fn read(folder: &Path, name: &str) -> Result<Source, TemplateFault> {
    let wanted = folder.join(PAYLOADS).join(name);
    let refuse = |what: String| {
        let place = Place::file(wanted.display().to_string());
        TemplateFault::new(TemplateFaultKind::NotFound, what, place)
    };
    let plain = !name.is_empty() && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if !plain || name.contains(['\\', '\0', ':']) {
        return Err(refuse(format!("template `{name}` is not a plain path inside `{}`", folder.display()))
            .next("name it relative to the template folder, without `..`"));
    }
    for path in [folder.join(PAYLOADS).join(name), folder.join(name)] {
        let Ok(real) = path.canonicalize() else { continue };
        let inside = folder.canonicalize().is_ok_and(|root| real.starts_with(root));
        if !inside {
            return Err(refuse(format!("template `{name}` leads out of `{}`", folder.display()))
                .next("copy the file into the template folder: links that lead out are not followed"));
        }
        let text = read_bounded(&real).map_err(|why| refuse(format!("template `{name}` cannot be read: {why}")))?;
        return Ok(Source { path, text });
    }
    let known = names(folder);
    let advice = match super::fault::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("put the file into `{}`", folder.join(PAYLOADS).display()),
    };
    Err(refuse(format!("template not found: {name}")).next(advice))
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
