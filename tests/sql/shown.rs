//! What the program itself shows of a plan, and how long it waits before there is one.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn run(folder: &std::path::Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_velox-tui"));
    command.args(arguments).current_dir(folder).env("XDG_STATE_HOME", folder.join("xdg")).stdin(Stdio::null());
    command.output().unwrap()
}

#[test]
fn a_secret_that_rows_are_compared_with_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "API_TOKEN=canary-7f3a\nREGION=north\n").unwrap();
    std::fs::write(folder.path().join("rows.jsonl"), "{\"token\":\"x\",\"region\":\"y\"}\n").unwrap();
    let sql = "SELECT * FROM 'file://rows.jsonl' WHERE token = '${API_TOKEN}' AND region = '${REGION}'";
    for flags in [&["sql", "explain", "-e", sql][..], &["--format", "json", "sql", "explain", "-e", sql][..]] {
        let shown = run(folder.path(), flags);
        let text = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        assert!(text.contains("***") && text.contains("north") && !text.contains("canary"), "{text}");
    }
}

#[test]
fn the_time_of_a_run_is_over_also_where_a_source_does_not_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sql = format!("SELECT * FROM 'kafka://{}/orders'", silent.local_addr().unwrap());
    let began = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_velox-tui"));
    command.args(["sql", "run", "--for", "1s", "-e", &sql]).current_dir(folder.path()).stdin(Stdio::null());
    command.env("XDG_STATE_HOME", folder.path().join("xdg")).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{said}");
    assert!(said.contains("the time of --for was over before"), "{said}");
    // The answer of a broker would be waited for much longer.
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}
