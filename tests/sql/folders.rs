//! Folders of many files, read by the program itself while it may have few of them open at once.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Files: far more than may be open.
const FILES: usize = 400;
/// Descriptors that the program may have: its own and those of a few dozen files.
const DESCRIPTORS: usize = 64;
/// Descriptors with which it cannot open all the files that it would.
const FEW_DESCRIPTORS: usize = 36;

/// Files of two rows: one in the first second, one ten seconds later.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..FILES {
        fs::write(file(folder.path(), number), format!("id,t\n{number},0\n{number},10000\n")).unwrap();
    }
    folder
}

fn file(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("{number:05}.csv"))
}

/// The program over the files as `f`, with rows as JSON on its standard output.
fn start(folder: &Path, query: &str, options: &str, descriptors: usize, flags: &[&str]) -> Child {
    let sql = format!(
        "CREATE SOURCE f (id BIGINT, t BIGINT) WITH ('connector' = 'file', 'path' = '{}/*.csv', 'event.time.field' = 't',
           'watermark.idle_timeout' = '1s'{options}); {query};",
        folder.display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {descriptors} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_velox-tui")]);
    command.args(["sql", "run", "--format", "json", "-e", &sql]).args(flags).current_dir(folder);
    command.env("XDG_STATE_HOME", folder.join("xdg")).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Its lines and what it said beside them, once it has ended well.
fn ended(child: Child) -> (Vec<String>, String) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    (String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect(), said)
}

/// A folder that ends closes both windows; of one that is watched the second stays open.
const ENDS: [(&str, &[&str], usize); 2] = [("", &[], 2), (", 'watch' = 'true'", &["--limit", "1"], 1)];

const COUNTS: &str = "SELECT window_end, COUNT(*) AS n FROM f WINDOW TUMBLING(1s) GROUP BY window_end EMIT FINAL";

#[test]
fn files_that_wait_for_their_turn_hold_the_windows_that_their_rows_fall_into() {
    let folder = folder();
    for (options, flags, windows) in ENDS {
        let (lines, said) = ended(start(folder.path(), COUNTS, options, DESCRIPTORS, flags));
        assert_eq!(lines.len(), windows, "{options}: {said}");
        assert!(lines.iter().all(|line| line.contains(&format!("\"n\":{FILES}"))), "{options}: {lines:?}");
    }
}

#[test]
fn where_no_descriptor_is_left_files_are_opened_later() {
    let folder = folder();
    for (options, flags, windows) in ENDS {
        let (lines, said) = ended(start(folder.path(), COUNTS, options, FEW_DESCRIPTORS, flags));
        assert_eq!(lines.len(), windows, "{options}: {said}");
        assert!(lines.iter().all(|line| line.contains(&format!("\"n\":{FILES}"))), "{options}: {lines:?}");
        assert!(said.contains("opened later") && said.contains("ulimit -n"), "{options}: {said}");
    }
}

#[test]
fn files_that_were_closed_at_their_end_are_opened_again_when_they_have_grown() {
    let folder = folder();
    let query = "SELECT id, t FROM f";
    let mut child = start(folder.path(), query, ", 'watch' = 'true', 'watch.interval' = '50ms'", DESCRIPTORS, &[]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.by_ref().take(FILES * 2).count(), FILES * 2);
    for number in [3, FILES - 1, 3] {
        let mut grown = fs::OpenOptions::new().append(true).open(file(folder.path(), number)).unwrap();
        // Half a line is none yet.
        grown.write_all(format!("{number},2").as_bytes()).unwrap();
        grown.write_all(b"0000\n").unwrap();
        assert_eq!(lines.next().unwrap(), format!("{{\"id\":{number},\"t\":20000}}"));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
