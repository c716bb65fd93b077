//! The starters of SQL run on the sandbox as they are: each gives a row, or writes to its topic.

use std::path::Path;

use super::support::{Place, ended};

#[test]
fn every_starter_runs_on_the_sandbox_as_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/sql/gallery");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 12, "{files:?}");
    let place = Place::shipped();
    // A few at a time: each is a broker, a generator and an engine.
    for some in files.chunks(4) {
        let running: Vec<_> = some
            .iter()
            .map(|file| {
                let writes = std::fs::read_to_string(file).unwrap().contains("INTO ");
                let end: &[&str] = if writes { &["--for", "5s"] } else { &["--limit", "1", "--for", "120s"] };
                let line = [&["sql", "run", file.to_str().unwrap(), "--format", "json"], end].concat();
                (file, writes, place.command(&line).spawn().unwrap())
            })
            .collect();
        for (file, writes, child) in running {
            let ended = ended(child.wait_with_output().unwrap());
            assert_eq!(ended.code, 0, "{}: {}", file.display(), ended.stderr);
            assert_eq!(ended.stdout.trim().is_empty(), writes, "{}: {}", file.display(), ended.stdout);
        }
    }
}
