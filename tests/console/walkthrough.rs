//! The way of somebody new through streaming SQL, by the real binary in a pseudo-terminal: a statement is written with completion,
//! run live, explained, deployed, seen as a pipeline, and goes on from its checkpoint after a restart, to the exact count.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use velox::kafka::embedded::EmbeddedBroker;
use velox::kafka::generator::generate;

use crate::terminal::Session;

const F5: &str = "\u{1b}[15~";
const F6: &str = "\u{1b}[17~";
const F8: &str = "\u{1b}[19~";

/// Events a second: enough for every currency to change several times a second.
const EVENTS_PER_SECOND: u32 = 50;
/// What a person waits for the first rows of a live run.
const ROWS_WITHIN: Duration = Duration::from_secs(1);

/// A broker with events on it, which lives longer than a console.
struct Events {
    broker: EmbeddedBroker,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Events {
    fn begin() -> Self {
        let broker = EmbeddedBroker::start().expect("a broker");
        // A broker of this kind creates no topics for its clients.
        broker.create_topic("spend", 3).expect("a topic");
        let (stop, own) = (CancellationToken::new(), broker.clone());
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(generate(&own, EVENTS_PER_SECOND, &stopped, |_| {})).expect("events");
            runtime.shutdown_timeout(Duration::from_secs(1));
        });
        Self { broker, stop, thread: Some(thread) }
    }

    /// No more events come; those that were sent are on the topics.
    fn end(&mut self) {
        self.stop.cancel();
        self.thread.take().map(std::thread::JoinHandle::join);
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.end();
    }
}

/// The values of a topic, in the order of each partition.
fn values(home: &Path, topic: &str) -> Vec<Value> {
    let read = Command::new(env!("CARGO_BIN_EXE_velox-tui"))
        .args(["-E", "own", "tail", topic, "--from", "beginning", "--exit", "--print", "value"])
        .current_dir(home)
        .output()
        .expect("the binary");
    let text = String::from_utf8(read.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("a value in JSON")).collect()
}

/// The counts that were written of each currency and window, in their order.
fn written(home: &Path) -> BTreeMap<String, Vec<u64>> {
    let mut counts = BTreeMap::<String, Vec<u64>>::new();
    for row in values(home, "spend") {
        let count = row["n"].as_u64().expect("a count");
        counts.entry(format!("{} {}", row["currency"], row["window_start"])).or_default().push(count);
    }
    counts
}

/// The last count of each currency over its windows.
fn newest(written: &BTreeMap<String, Vec<u64>>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (key, of_key) in written {
        let currency = key.split(' ').next().unwrap_or_default();
        *counts.entry(currency.to_owned()).or_default() += of_key.last().copied().unwrap_or(0);
    }
    counts
}

/// The orders of each currency that are on the topic.
fn orders(home: &Path) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for order in values(home, "orders") {
        *counts.entry(order["currency"].to_string()).or_default() += 1;
    }
    counts
}

/// The line of the screen that the row of a currency stands on.
fn row(screen: &str, currency: &str) -> Option<String> {
    screen.lines().find(|line| line.contains(&format!("  {currency}  "))).map(str::to_owned)
}

#[test]
fn a_statement_is_written_with_completion_run_deployed_and_goes_on_after_a_restart() {
    let mut events = Events::begin();
    let home = Arc::new(tempfile::tempdir().expect("a folder"));
    let folder = home.path().join("config/environments");
    std::fs::create_dir_all(&folder).expect("a folder");
    let own = format!("environment: own\nkafka:\n  bootstrap_servers: {}\n", events.broker.bootstrap_servers());
    std::fs::write(folder.join("own.yaml"), own).expect("a file");
    let variables = [("ACTIVE_ENVIRONMENT", "own")];

    let mut session = Session::open_in(home.clone(), &variables);
    session.see("● own");
    session.press("3");
    session.see("Write SQL here");
    session.press("SELECT window_start, window_end, currency, COUNT(*) AS n\rFROM ord");
    session.see("Tab takes it");
    session.press("\t");
    session.see("FROM orders");
    session.press("\rWINDOW TUMBLING(1d)\rGROUP BY curr");
    // Its type, as soon as the topic was looked into.
    session.see("VARCHAR");
    session.press("\t");
    session.see("GROUP BY currency");
    session.press("\rEMIT CHANGES");
    session.see("EMIT CHANGES");

    session.press(F5);
    let pressed = Instant::now();
    session.until("a row", |screen| row(&screen.contents(), "CHF").is_some());
    let waited = pressed.elapsed();
    let first = row(&session.screen(), "CHF");
    session.until("another count", |screen| row(&screen.contents(), "CHF") != first);
    assert!(waited < ROWS_WITHIN, "the first row came after {waited:?}");

    session.press(F6);
    session.see("busy");
    session.see("read orders");
    session.see("write screen");

    session.press(F8);
    session.see("Deploy in own");
    // Where it writes, then past its name to how surely: the broker of this test has no transactions.
    session.press("spend\t\t");
    session.see("◂ exactly once ▸");
    session.press("\u{1b}[C");
    session.see("◂ at least once ▸");
    session.press("\r");
    session.see("`spend` is checked and then starts");
    // Alt+6, as from anywhere where something is written.
    session.press("\u{1b}6");
    session.see("delivery   at least once");
    session.press("\r");
    session.see("Pipeline");
    session.see("write spend");
    session.until_so("a result", || {
        let counts = newest(&written(home.path()));
        counts.contains_key("\"CHF\"") && counts.values().all(|count| *count > 10)
    });
    session.press("q");
    session.see("Leave while jobs run?");
    session.see("writes a savepoint and is offered next time");
    session.press("y");
    assert_eq!(session.ended().0, 0);
    let before = written(home.path());

    let mut session = Session::open_in(home.clone(), &variables);
    session.see("Resume what was running?");
    session.press("\r");
    session.press("6\r");
    session.see("goes on from checkpoint");
    let counted = |counts: &BTreeMap<String, Vec<u64>>| newest(counts).values().sum::<u64>();
    session.until_so("a result after the restart", || counted(&before) + 10 < counted(&written(home.path())));
    events.end();
    let orders = orders(home.path());
    session.until_so("the last result", || newest(&written(home.path())) == orders);
    for (key, counts) in written(home.path()) {
        assert!(counts.is_sorted(), "{key} began anew: {counts:?}");
    }
    session.press("q");
    session.see("Leave while jobs run?");
    session.press("y");
    assert_eq!(session.ended().0, 0);
}
