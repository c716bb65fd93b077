//! `produce`, `tail`, `consume` on the sandbox of their own process: outputs, signals, closed pipes.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use super::support::{Place, adds_up, ended, signal};

#[test]
fn every_piece_that_is_read_ends_in_one_count() {
    let place = Place::shipped();
    let read =
        place.feed(&["produce", "orders", "-K", ":", "--on-error", "continue", "--format", "json"], "a:1\nb\nc:3\n");
    let report = read.expect(1).json();
    let count = |name: &str| report[name].as_u64().unwrap();
    assert_eq!((count("read"), count("acknowledged"), count("failed"), count("not_sent")), (3, 2, 1, 0));
    assert_eq!(report["causes"]["not a message"], 1);
    let stopped = place.feed(&["produce", "orders", "-K", ":", "--format", "json"], "a:1\nb\nc:3\n").expect(1).json();
    assert_eq!(stopped["failed"], 1);
    let whole = place.feed(&["produce", "orders", "-i", "whole", "--format", "json"], "a\nb\n").expect(0).json();
    assert_eq!((&whole["read"], &whole["bytes"]), (&1.into(), &4.into()));
}

#[test]
fn a_template_is_rendered_and_sent() {
    let place = Place::shipped();
    let line = [
        "produce",
        "orders",
        "--template",
        "customer_update.json.j2",
        "--count",
        "20",
        "--key",
        "{{ customer_id }}",
        "--set",
        "customer_id=C",
        "--format",
        "json",
    ];
    let report = place.run(&line).expect(0).json();
    assert_eq!(report["total"]["acknowledged"], 20);
    adds_up(&report["total"]);
}

#[test]
fn a_signal_while_producing_counts_what_was_read() {
    let place = Place::shipped();
    let mut child = place.start(&["produce", "orders", "--format", "json"]);
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, b"a\nb\n").unwrap();
    // The input stays open: only the signal can end it. Its first word says that it is being waited for.
    wait_for_threads(&child, "velox-produce");
    signal("TERM", &child);
    let stopped = ended(child.wait_with_output().unwrap()).expect(5);
    let report = stopped.json();
    let count = |name: &str| report[name].as_u64().unwrap();
    assert_eq!(count("read"), count("acknowledged") + count("failed") + count("not_sent"), "{report}");
    assert_eq!(report["stopped"], true);
    drop(input);
}

#[test]
fn a_tail_of_the_sandbox_is_alive_and_each_record_is_one_line_of_json() {
    let tailed = Place::shipped().run(&["tail", "orders", "payments", "--limit", "5", "--format", "json"]).expect(0);
    let records = tailed.lines();
    assert_eq!(records.len(), 5);
    for record in records {
        assert!(
            record["value"].is_object() && record["key"].is_string() && record["headers"]["type"].is_string(),
            "{record}"
        );
        assert!(record["offset"].is_u64() && record["timestamp_ms"].is_u64(), "{record}");
    }
}

#[test]
fn a_signal_ends_a_tail_with_five() {
    let place = Place::shipped();
    let mut child = place.start(&["tail", "orders", "--print", "%t %o\\n"]);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "orders 0\n");
    signal("INT", &child);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(rest.lines().all(|line| line.starts_with("orders ")), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

#[test]
fn signals_are_heard_while_nobody_reads_the_output() {
    const PATIENCE: Duration = Duration::from_secs(20);
    let place = Place::shipped();
    let line = "-E sandbox run --etl customer_update --dry-run --log-payloads --count 200000";
    let mut child = place.start(&line.split(' ').collect::<Vec<_>>());
    // Kept open and never read: the pipe fills, and then the process stands still.
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    wait_until_idle(&child);
    let said = BufReader::new(child.stderr.take().unwrap());
    let (tell, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || said.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line))));
    let next = |word: &str| {
        let lines = std::iter::from_fn(|| heard.recv_timeout(PATIENCE).ok());
        lines.into_iter().any(|line| line.contains(word))
    };
    signal("TERM", &child);
    let first = next("SIGTERM: finishing");
    signal("TERM", &child);
    let second = first && next("SIGTERM: leaving at once");
    if !second {
        child.kill().unwrap();
    }
    assert_eq!((second, child.wait().unwrap().code()), (true, Some(5)));
}

/// Waits until no thread of a process has used any time for a while.
fn wait_until_idle(child: &std::process::Child) {
    const LOOK: Duration = Duration::from_millis(50);
    const LOOKS: u32 = 10;
    let used = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        (fields[11].to_owned(), fields[12].to_owned())
    };
    let (mut before, mut same) = (used(), 0);
    while same < LOOKS {
        std::thread::sleep(LOOK);
        let now = used();
        same = if now == before { same + 1 } else { 0 };
        before = now;
    }
}

#[test]
fn a_reader_that_leaves_ends_a_tail_quietly() {
    let place = Place::shipped();
    let mut child = place.start(&["tail", "orders", "payments", "customers"]);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    drop(output);
    let left = ended(child.wait_with_output().unwrap()).expect(0);
    assert_eq!(left.stderr, "");
}

#[test]
fn a_topic_that_does_not_exist_is_a_fault_of_usage() {
    let refused = Place::shipped().run(&["tail", "no-such-topic", "--format", "json"]).expect(2);
    assert_eq!(refused.error()["error_code"], 34);
}

#[test]
fn a_command_processes_records_and_the_report_adds_up() {
    let place = Place::shipped();
    let base = ["consume", "orders", "-g", "g", "--from", "earliest", "--limit", "4", "--format", "json"];
    let lines = "while read -r line; do echo noise >&2; echo ok; done";
    let report = place.run(&[&base[..], &["--protocol", "lines", "--", "sh", "-c", lines]].concat()).expect(0).json();
    assert_eq!((&report["received"], &report["processed"]), (&4.into(), &4.into()));
    let failing = place.run(&[&base[..], &["--", "sh", "-c", "echo noise; exit 3"]].concat()).expect(1).json();
    assert_eq!((&failing["received"], &failing["failed"]), (&4.into(), &4.into()));
    let stopping = place.run(&[&base[..], &["--on-error", "stop", "--", "false"]].concat()).expect(1);
    assert_eq!((&stopping.json()["received"], &stopping.json()["returned"]), (&1.into(), &1.into()));
    assert_eq!(stopping.error()["error_code"], 32);
    let retried =
        ["--on-error", "retry", "--max-retries", "2", "--retry-backoff-ms", "1", "--then", "continue", "--", "false"];
    let retried = place.run(&[&base[..], &retried].concat()).expect(1).json();
    assert_eq!((&retried["failed"], &retried["retries"]), (&4.into(), &8.into()));
}

#[test]
fn a_command_that_cannot_be_started_costs_no_record() {
    let place = Place::shipped();
    let base = ["consume", "orders", "-g", "g", "--from", "earliest", "--limit", "4", "--format", "json"];
    for protocol in ["process", "lines"] {
        let refused = place.run(&[&base[..], &["--protocol", protocol, "--", "/no/such/program"]].concat()).expect(2);
        let error = refused.error();
        assert_eq!(error["what"], "`/no/such/program` cannot be started: No such file or directory (os error 2)");
        assert!(!refused.stderr.contains("commits"), "nothing was processed: {}", refused.stderr);
    }
    let audit = std::fs::read_to_string(place.path(".local/state/velox-tui/audit.jsonl")).unwrap_or_default();
    assert!(audit.contains("0 processed, 0 failed, 0 commits"), "{audit}");
}

#[test]
fn records_without_a_command_go_to_the_output() {
    let place = Place::shipped();
    let consumed = place
        .run(&["consume", "orders", "-g", "g", "--from", "earliest", "--limit", "3", "--format", "json"])
        .expect(0);
    assert_eq!(consumed.lines().len(), 3);
    assert!(consumed.stderr.contains("\"processed\":3"), "{}", consumed.stderr);
}

/// Waits until a process has a thread of this name.
fn wait_for_threads(child: &std::process::Child, name: &str) {
    let tasks = format!("/proc/{}/task", child.id());
    for _ in 0..6_000 {
        let names = std::fs::read_dir(&tasks).unwrap().flatten();
        let mut names = names.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
        if names.any(|found| found.trim() == name) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("no thread `{name}`");
}
