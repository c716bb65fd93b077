//! The files that a sink writes to: the path itself in its folder, or with a number behind it. It makes none of them, and looks
//! whether what is there is of a kind with what comes.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::settings::failed;
use crate::core::fault::{Blame, Fault};
use crate::formats::csv::{self, Dialect};
use crate::kafka::admin::off_the_async_threads;

/// The longest first line that is looked at: thousands of names.
const HEADER_BYTES_MAX: u64 = 1 << 20;

/// What the first row creates beside a file: its folder, where it is not there.
pub(super) async fn creates(path: PathBuf) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?.to_owned();
    let shown = folder.strip_prefix(".").unwrap_or(&folder).display();
    let sentence = format!("the folder {shown} does not exist: it is created");
    let is_there = off_the_async_threads(move || Ok::<_, Fault>(folder.exists())).await.unwrap_or(true);
    (!is_there).then_some(sentence)
}

/// The file that rows of one folder go to now.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub path: PathBuf,
    /// Bytes that are there or on their way.
    pub bytes: u64,
    pub since: Instant,
}

/// Gives out names, none twice.
pub(super) struct Names {
    path: PathBuf,
    overwrites: bool,
    /// The last number of each folder, 0 for the path without one: looking from 1 again would take the longer the more
    /// files there are.
    last: HashMap<PathBuf, u64>,
}

impl Names {
    /// Names for a path; where it `overwrites`, files that exist are not passed over.
    pub fn new(path: PathBuf, overwrites: bool) -> Self {
        Self { path, overwrites, last: HashMap::new() }
    }

    /// The path itself in its folder, or, where files are numbered, the next that is free.
    pub fn next(&mut self, folder: &Path, is_numbered: bool) -> PathBuf {
        if !is_numbered {
            return self.named(folder, 0);
        }
        let mut number = self.last.get(folder).map_or(0, |last| last + 1);
        while !self.overwrites && self.named(folder, number).exists() {
            number += 1;
        }
        self.last.insert(folder.to_owned(), number);
        self.named(folder, number)
    }

    fn named(&self, folder: &Path, number: u64) -> PathBuf {
        let parent = self.path.parent().unwrap_or(Path::new("")).join(folder);
        let name = self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if number == 0 {
            return parent.join(name);
        }
        let (stem, extensions) =
            name.split_once('.').map_or((name.as_str(), String::new()), |(stem, rest)| (stem, format!(".{rest}")));
        parent.join(format!("{stem}-{number:05}{extensions}"))
    }
}

/// Whether rows under this header may follow what a file holds: its first line names its columns.
///
/// # Errors
/// It names others, or cannot be read.
pub(super) fn same_header(path: &Path, header: &[u8], dialect: &Dialect) -> Result<(), Fault> {
    let mut first = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| failed("open", path, &error))?;
    let mut lines = BufReader::new(file.take(HEADER_BYTES_MAX));
    lines.read_until(b'\n', &mut first).map_err(|error| failed("read", path, &error))?;
    let plain = |line: &[u8]| String::from_utf8_lossy(line).trim_start_matches('\u{feff}').trim_end().to_owned();
    let (there, comes) = (plain(&first), plain(header));
    // Quotes around a name are no part of it.
    let names = |line: &str| -> Option<Vec<String>> {
        let fields = csv::split(line.as_bytes(), dialect).ok()?;
        Some(fields.into_iter().map(|(name, _)| name.trim().to_owned()).collect())
    };
    if there == comes || names(&there).is_some_and(|there| names(&comes) == Some(there)) {
        return Ok(());
    }
    let what = format!("{} begins with `{there}`, and the rows that come are `{comes}`", path.display());
    Err(Fault::new(Blame::Operator, what)
        .next("name another file, give the columns those names in that order, or set `mode` = 'overwrite'"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn numbers_go_on_behind_the_last_one_and_pass_over_what_is_there() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("o.csv.gz");
        std::fs::write(place.path().join("o-00002.csv.gz"), "there").unwrap();
        let given = |overwrites: bool| {
            let mut names = Names::new(path.clone(), overwrites);
            let next = |_| names.next(Path::new(""), true).file_name().unwrap().to_string_lossy().into_owned();
            (0..3).map(next).collect::<Vec<_>>()
        };
        assert_eq!(given(false), ["o.csv.gz", "o-00001.csv.gz", "o-00003.csv.gz"]);
        assert_eq!(given(true), ["o.csv.gz", "o-00001.csv.gz", "o-00002.csv.gz"]);
        let mut names = Names::new(path.clone(), false);
        assert_eq!(names.next(Path::new("day=mon"), true), place.path().join("day=mon/o.csv.gz"));
        assert_eq!((names.next(Path::new(""), false), names.next(Path::new(""), false)), (path.clone(), path.clone()));
    }
}
