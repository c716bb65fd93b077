//! Which files a path means: itself, those of a folder, or those that match a pattern. Names only; nothing is opened.

use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::settings::failed;
use crate::core::fault::{Blame, Fault};

/// Files of one source: past this a listing is a mistake, and so is a split for each.
const FILES_MAX: usize = 100_000;
/// Folders below a pattern: deeper is a loop of links.
const DEPTH_MAX: usize = 32;

/// Whether a path has wildcards.
pub(super) fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '[', '{'])
}

/// The files of a path, in the order of their names; of a folder those of its partitions, `day=2024-01-15/`, too. Hidden files
/// are left out: sinks write under such names.
///
/// # Errors
/// A folder that cannot be read, or a pattern that is none.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, Fault> {
    let mut found = Vec::new();
    if !is_pattern(path) {
        if path.is_dir() {
            walk(path, DEPTH_MAX, &mut found, &|folder| is_partition(folder), &|_| true)?;
        } else if path.is_file() {
            found.push(path.to_owned());
        }
        found.sort();
        return Ok(found);
    }
    let pattern = path.to_string_lossy();
    let glob = GlobBuilder::new(&pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| Fault::new(Blame::Operator, format!("`{pattern}` is no pattern of files: {error}")))?
        .compile_matcher();
    let fixed: PathBuf = path.components().take_while(|part| !is_pattern(Path::new(part.as_os_str()))).collect();
    let depth = if pattern.contains("**") { DEPTH_MAX } else { path.components().count() - fixed.components().count() };
    let fixed = if fixed.as_os_str().is_empty() { PathBuf::from(".") } else { fixed };
    if fixed.is_dir() {
        walk(&fixed, depth, &mut found, &|_| true, &|file| glob.is_match(file))?;
    }
    found.sort();
    Ok(found)
}

fn is_partition(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().contains('='))
}

fn walk(
    folder: &Path,
    depth: usize,
    found: &mut Vec<PathBuf>,
    enters: &dyn Fn(&Path) -> bool,
    is_one: &dyn Fn(&Path) -> bool,
) -> Result<(), Fault> {
    let entries = std::fs::read_dir(folder).map_err(|error| failed("list", folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| failed("list", folder, &error))?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if depth > 1 && enters(&path) {
                walk(&path, depth - 1, found, enters, is_one)?;
            }
        } else if is_one(&path) {
            if found.len() == FILES_MAX {
                let what = format!("more than {FILES_MAX} files are below {}", folder.display());
                return Err(Fault::new(Blame::Operator, what).next("use a narrower pattern"));
            }
            found.push(path);
        }
    }
    Ok(())
}
