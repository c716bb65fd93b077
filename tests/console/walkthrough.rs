//! The way of somebody new through streaming SQL, by the real binary in a pseudo-terminal: a statement is written with completion,
//! run live, explained, deployed, seen as a job, and goes on from its checkpoint after a restart.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use velox::kafka::embedded::EmbeddedBroker;
use velox::kafka::generator::generate;

use crate::terminal::Session;

const F5: &str = "\u{1b}[15~";
const F6: &str = "\u{1b}[17~";
const F8: &str = "\u{1b}[19~";

/// Longest wait for results: the machine may be loaded.
const PATIENCE: Duration = Duration::from_secs(90);
/// Events a second: a window of ten seconds has some of every currency.
const EVENTS_PER_SECOND: u32 = 50;

/// A broker with events on it, which lives longer than a console.
struct Events {
    broker: EmbeddedBroker,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Events {
    fn begin() -> Self {
        let broker = EmbeddedBroker::start().expect("a broker");
        let (stop, own) = (CancellationToken::new(), broker.clone());
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(generate(&own, EVENTS_PER_SECOND, &stopped, |_| {})).expect("events");
            runtime.shutdown_timeout(Duration::from_secs(1));
        });
        Self { broker, stop, thread: Some(thread) }
    }

    /// The environment that names it.
    fn environment(&self) -> String {
        format!("environment: own\nkafka:\n  bootstrap_servers: {}\n", self.broker.bootstrap_servers())
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.stop.cancel();
        self.thread.take().map(std::thread::JoinHandle::join);
    }
}

/// Counts by key in the order in which they were written to a topic.
fn counts(home: &std::path::Path, topic: &str) -> BTreeMap<String, Vec<u64>> {
    let read = Command::new(env!("CARGO_BIN_EXE_velox-tui"))
        .args(["-E", "own", "tail", topic, "--from", "beginning", "--exit", "--print", "value"])
        .current_dir(home)
        .output()
        .expect("the binary");
    let mut found = BTreeMap::<String, Vec<u64>>::new();
    for line in String::from_utf8_lossy(&read.stdout).lines() {
        let Ok(row) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let key = format!("{} {}", row["window_start"], row["currency"]);
        found.entry(key).or_default().extend(row["n"].as_u64());
    }
    found
}

/// Waits until some counts are as wanted.
fn until(home: &std::path::Path, wanted: impl Fn(&BTreeMap<String, Vec<u64>>) -> bool) -> BTreeMap<String, Vec<u64>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = counts(home, "spend");
        if wanted(&found) {
            return found;
        }
        assert!(Instant::now() < deadline, "the job wrote {found:?}");
    }
}

fn sum_of_largest(found: &BTreeMap<String, Vec<u64>>) -> u64 {
    found.values().filter_map(|counts| counts.iter().max()).sum()
}

#[test]
fn a_statement_is_written_with_completion_run_deployed_and_goes_on_after_a_restart() {
    let events = Events::begin();
    let home = Arc::new(tempfile::tempdir().expect("a folder"));
    let folder = home.path().join("config/environments");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("own.yaml"), events.environment()).expect("a file");
    let variables = [("ACTIVE_ENVIRONMENT", "own")];

    let mut session = Session::open_in(home.clone(), &variables);
    session.see("● own");
    session.press("3");
    session.see("Write SQL here");
    session.press("SELECT window_start, currency, COUNT(*) AS n\rFROM ord");
    session.see("Tab takes it");
    session.press("\t");
    session.see("FROM orders");
    session.press("\rWINDOW TUMBLING(1h)\rGROUP BY curr");
    // Its type, as soon as the topic was looked into.
    session.see("VARCHAR");
    session.press("\t");
    session.see("GROUP BY currency");
    session.press("\rEMIT CHANGES");
    session.see("EMIT CHANGES");
    session.press(F5);
    session.see("live");
    session.see("CHF");
    session.press(F6);
    session.see("WindowAggregate");
    session.press(F8);
    session.see("Deploy in own");
    session.press("spend\t");
    // The broker of this test has no transactions.
    session.press("\t\u{1b}[C");
    session.see("at least once");
    session.press("\r");
    until(home.path(), |found| 10 < sum_of_largest(found));
    session.press("\u{1b}");
    session.see("i write");
    session.press("6");
    session.see("query_1");
    session.press("q");
    session.see("Leave while jobs run?");
    session.press("y");
    assert_eq!(session.ended().0, 0);
    let before = sum_of_largest(&counts(home.path(), "spend"));

    let mut session = Session::open_in(home.clone(), &variables);
    session.see("Resume what was running?");
    session.press("\r");
    let after = until(home.path(), |found| before + 10 < sum_of_largest(found));
    for (key, counts) in &after {
        assert!(counts.is_sorted(), "{key} began anew: {counts:?}");
    }
    session.press("q");
    session.see("Leave while jobs run?");
    session.press("y");
    assert_eq!(session.ended().0, 0);
}
