//! Hidden files of a sink: how they are called, and which of them a killed run of the same job has left behind. What
//! belongs to any other job, and what anybody still writes, is not touched.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::partition::as_name;
use super::segment::cut_half;
use super::settings::failed;
use crate::core::fault::Fault;

/// The name of the `number`th hidden file that a run of this job writes for a file: nobody else's is the same.
pub(super) fn hidden_name(file: &str, job: &str, number: u64) -> String {
    format!(".{file}.{}.{number}.{}.tmp", as_name(job.as_bytes()), uuid::Uuid::new_v4().simple())
}

/// Takes away the hidden files of this job beside `path` and in the `depth` levels of folders below, as many as there
/// are, and from their targets what only half got there. Blocks. For a job that nobody else runs, and that has had from its checkpoint what that asks for.
///
/// # Errors
/// A folder that cannot be read, or a file that cannot be taken away.
pub(super) fn remove(path: &Path, job: &str, depth: usize) -> Result<usize, Fault> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    below(folder, &file, &as_name(job.as_bytes()), depth)
}

fn below(folder: &Path, file: &str, job: &str, depth: usize) -> Result<usize, Fault> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(|error| failed("list", folder, &error))?,
    };
    let mut gone = 0;
    for entry in entries {
        let entry = entry.map_err(|error| failed("list", folder, &error))?;
        let (name, found) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        if let Some(of) = file_of(&name, file, job).filter(|_| nobody_writes(&found)) {
            cut_half(&found, &found.with_file_name(of))?;
            fs::remove_file(&found).map_err(|error| failed("take away", &found, &error))?;
            gone += 1;
        } else if depth > 0 && name.contains('=') && found.is_dir() {
            gone += below(&found, file, job, depth - 1)?;
        }
    }
    Ok(gone)
}

/// The file that a name is one of [`hidden_name`]'s for, where that is this one, or one that it is rolled into, and the job
/// is this one.
fn file_of<'n>(name: &'n str, file: &str, job: &str) -> Option<&'n str> {
    let parts = || {
        let rest = name.strip_prefix('.')?.strip_suffix(".tmp")?;
        let (rest, unique) = rest.rsplit_once('.')?;
        let (rest, number) = rest.rsplit_once('.')?;
        Some((rest.strip_suffix(job)?.strip_suffix('.')?, number, unique))
    };
    let (of, number, unique) = parts()?;
    let (stem, extensions) = file.split_once('.').unwrap_or((file, ""));
    let (of_stem, of_extensions) = of.split_once('.').unwrap_or((of, ""));
    let is_numbered = of_stem
        .strip_prefix(stem)
        .and_then(|rest| rest.strip_prefix('-'))
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()));
    let is_file = of == file || (of_extensions == extensions && is_numbered);
    let is_hidden = !number.is_empty()
        && number.bytes().all(|digit| digit.is_ascii_digit())
        && unique.len() == 32
        && unique.bytes().all(|letter| letter.is_ascii_hexdigit());
    (is_file && is_hidden).then_some(of)
}

/// Whoever writes such a file holds its lock.
fn nobody_writes(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::connectors::file::tests::{Place, rows, schema};

    fn hidden(place: &Place) -> usize {
        let names = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect::<Vec<_>>();
        let top = names(place.0.path());
        let below = top.iter().filter(|entry| entry.path().is_dir()).flat_map(|entry| names(&entry.path()));
        let all = below.collect::<Vec<_>>();
        top.iter().chain(&all).filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")).count()
    }

    #[tokio::test]
    async fn a_job_that_begins_again_takes_away_what_its_killed_run_left_and_nothing_else() {
        let place = Place::new();
        let options = [("path", "o.jsonl"), ("partition.by", "day")];
        let another = place.0.path().join(hidden_name("o.jsonl", "job two", 1));
        fs::write(&another, "theirs").unwrap();
        let mut killed = place.sink(&schema(), &options, true, false);
        killed.write(rows(&[1, 2], &["mon", "tue"])).await.unwrap();
        let prepared = killed.prepare(1).await.unwrap().unwrap();
        killed.write(rows(&[3], &["mon"])).await.unwrap();
        // As a kill leaves it: nothing is closed, nothing is taken back.
        drop(killed);
        assert_eq!(hidden(&place), 4);

        let mut again = place.sink(&schema(), &options, true, false);
        again.open().await.unwrap();
        again.commit(1, &prepared).await.unwrap();
        assert_eq!(place.names(), ["day=mon/o.jsonl", "day=tue/o.jsonl"]);
        again.write(rows(&[4], &["wed"])).await.unwrap();
        assert_eq!(hidden(&place), 2, "the row that is written now, and the file of another job");
        again.close(true).await.unwrap();
        assert_eq!(fs::read_to_string(&another).unwrap(), "theirs");
        assert_eq!(hidden(&place), 1);
    }

    #[tokio::test]
    async fn a_file_that_somebody_writes_stays() {
        let place = Place::new();
        let mut writes = place.sink(&schema(), &[("path", "o.jsonl")], false, false);
        writes.write(rows(&[1], &["mon"])).await.unwrap();
        assert_eq!(remove(&place.0.path().join("o.jsonl"), "job one", 0).unwrap(), 0);
        writes.close(true).await.unwrap();
        assert_eq!(place.names(), ["o.jsonl"]);
    }

    #[test]
    fn a_hidden_file_is_known_by_its_file_and_its_job_and_by_nothing_less() {
        let named = hidden_name("out.csv", "totals-0a1b", 7);
        assert_eq!(file_of(&named, "out.csv", "totals-0a1b"), Some("out.csv"));
        assert_eq!(file_of(&hidden_name("out-00012.csv.gz", "a", 1), "out.csv.gz", "a"), Some("out-00012.csv.gz"));
        for (name, why) in [
            (hidden_name("out.csv", "totals-0a1c", 7), "another job"),
            (hidden_name("out.csv", "my.totals-0a1b", 7), "a job whose name ends alike"),
            (hidden_name("out.csv", "totals-0a1b.1", 7), "a job whose name begins alike"),
            (hidden_name("other.csv", "totals-0a1b", 7), "another file"),
            (hidden_name("out-x.csv", "totals-0a1b", 7), "a file that is called alike"),
            ("out.csv".to_owned(), "the file itself"),
            (".out.csv.totals-0a1b.7.tmp".to_owned(), "somebody else's"),
            (named.replace(".tmp", ""), "no temporary file"),
        ] {
            assert_eq!(file_of(&name, "out.csv", "totals-0a1b"), None, "{why}: {name}");
        }
    }
}
