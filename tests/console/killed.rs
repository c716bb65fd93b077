//! The console is killed with -9 under three jobs that write exactly once to real Kafka; the next console resumes them, and a
//! reader of committed records sees each result once.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::terminal::Session;

/// Longer than it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Records that each job reads; they keep coming while consoles are killed.
const RECORDS: usize = 60_000;
/// Records written at a time, and the pause behind them: as long as several checkpoints and two kills take.
const BATCH: (usize, Duration) = (500, Duration::from_millis(50));
/// Nothing comes for so long: a reader of committed records has seen all.
const SILENCE: Duration = Duration::from_secs(2);
/// Consoles that are killed before one may finish.
const KILLS: usize = 2;
const JOBS: [&str; 3] = ["one", "two", "three"];

/// The address of real Kafka, where there is one.
fn kafka() -> Option<String> {
    let address = std::env::var("VELOX_KAFKA_PLAINTEXT").ok();
    let is_required = std::env::var("VELOX_SERVICES_REQUIRED").is_ok_and(|value| value == "1");
    assert!(address.is_some() || !is_required, "VELOX_SERVICES_REQUIRED=1 and no VELOX_KAFKA_PLAINTEXT");
    if address.is_none() {
        writeln!(std::io::stderr(), "skipped without real Kafka: a console that is killed").expect("a standard error");
    }
    address
}

/// A job is only kept when its topics are there.
fn create(address: &str, topic: &str) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
    let topics = [NewTopic::new(topic, 3, TopicReplication::Fixed(1))];
    let created = futures::executor::block_on(admin.create_topics(&topics, &AdminOptions::new())).unwrap();
    assert!(created.iter().all(Result::is_ok), "{created:?}");
}

fn fill(address: &str, topic: &str) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", address).set("linger.ms", "50").create().unwrap();
    for id in 0..RECORDS {
        let (key, value) = (format!("k{}", id % 17), format!("{{\"id\":{id}}}"));
        while producer.send(BaseRecord::to(topic).key(&key).payload(&value)).is_err() {
            producer.poll(Duration::from_millis(20));
        }
        if id % BATCH.0 == 0 {
            std::thread::sleep(BATCH.1);
        }
    }
    producer.flush(PATIENCE).unwrap();
}

/// When reading ends.
#[derive(Clone, Copy, PartialEq)]
enum Until {
    /// As soon as there is enough.
    Enough,
    /// When nothing more comes.
    Silence,
}

/// How often each id came, by output.
type Seen = BTreeMap<String, BTreeMap<u64, u32>>;

/// Reads what is committed on the outputs until `enough` says so; how often each id came, by output.
fn committed(address: &str, outputs: &[String], until: Until, enough: impl Fn(&Seen) -> bool) -> Seen {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", format!("reader-{}", uuid::Uuid::new_v4().simple()))
        .set("isolation.level", "read_committed")
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "true")
        .set("topic.metadata.refresh.interval.ms", "500")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let names: Vec<&str> = outputs.iter().map(String::as_str).collect();
    consumer.subscribe(&names).unwrap();
    let mut seen = Seen::new();
    let mut take = |message: &rdkafka::message::BorrowedMessage<'_>| {
        let row: serde_json::Value = serde_json::from_slice(message.payload().unwrap_or_default()).unwrap();
        let id = row["id"].as_u64().unwrap_or_else(|| panic!("{row}"));
        *seen.entry(message.topic().to_owned()).or_default().entry(id).or_default() += 1;
        enough(&seen)
    };
    let deadline = Instant::now() + PATIENCE;
    let mut has_begun = false;
    loop {
        match consumer.poll(SILENCE) {
            Some(Ok(message)) => {
                has_begun = true;
                if take(&message) && until == Until::Enough {
                    break;
                }
            }
            // Nobody writes any more: what is there has been read.
            None if until == Until::Silence && has_begun => break,
            Some(Err(_)) | None => {}
        }
        assert!(Instant::now() < deadline, "the results do not come");
    }
    seen
}

/// Different ids on an output.
fn held(seen: &Seen, output: &str) -> usize {
    seen.get(output).map_or(0, BTreeMap::len)
}

/// Keeps a job for the console to run.
fn register(home: &Path, name: &str, sql: &str) {
    std::fs::write(home.join("job.sql"), sql).unwrap();
    let line = ["-E", "real", "sql", "deploy", "job.sql", "--register", "--name", name];
    let delivery = ["--delivery", "exactly-once", "--checkpoint-interval", "300ms"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_velox-tui"));
    command.args(line).args(delivery).current_dir(home).env_clear().env("HOME", home);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn three_jobs_survive_a_console_that_is_killed_and_write_each_result_once() {
    let Some(address) = kafka() else { return };
    let run = uuid::Uuid::new_v4().simple().to_string();
    let input = format!("killed-in-{run}");
    let outputs: Vec<String> = JOBS.iter().map(|job| format!("killed-{job}-{run}")).collect();
    let home = Arc::new(tempfile::tempdir().unwrap());
    let environments = home.path().join("config/environments");
    std::fs::create_dir_all(&environments).unwrap();
    let yaml = format!("environment: real\nkafka:\n  bootstrap_servers: \"{address}\"\n");
    std::fs::write(environments.join("real.yaml"), yaml).unwrap();
    create(&address, &input);
    for (job, output) in JOBS.iter().zip(&outputs) {
        let sql = format!(
            "CREATE SOURCE i (id BIGINT) WITH ('connector' = 'kafka', 'topic' = '{input}', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
             CREATE SINK o WITH ('connector' = 'kafka', 'topic' = '{output}', 'format' = 'json', 'mode' = 'append');
             INSERT INTO o SELECT id FROM i;"
        );
        register(home.path(), &format!("{job}-{run}"), &sql);
    }

    let filling = std::thread::spawn({
        let (address, input) = (address.clone(), input.clone());
        move || fill(&address, &input)
    });
    let open = || Session::open_in(Arc::clone(&home), &[("ACTIVE_ENVIRONMENT", "real")]);
    for kill in 1..=KILLS {
        let mut console = open();
        console.see("Resume what was running?");
        console.press("\r");
        // All are at work: each has made more visible than the console before it.
        let least = RECORDS / 10 * kill;
        committed(&address, &outputs, Until::Enough, |seen| outputs.iter().all(|one| held(seen, one) >= least));
        assert!(!filling.is_finished(), "records came too fast: there was nothing left to do");
        console.signal("-KILL");
        console.gone();
    }
    let mut last = open();
    last.see("Resume what was running?");
    last.press("\r");
    committed(&address, &outputs, Until::Enough, |seen| outputs.iter().all(|one| held(seen, one) == RECORDS));
    filling.join().unwrap();
    last.press("6");
    last.see("sql");
    last.press("qy");
    assert_eq!(last.ended().0, 0);
    let seen = committed(&address, &outputs, Until::Silence, |_| false);
    assert_eq!(seen.len(), JOBS.len());
    for (output, ids) in &seen {
        assert_eq!(ids.len(), RECORDS, "{output}");
        let twice: Vec<_> = ids.iter().filter(|(_, times)| **times != 1).take(5).collect();
        assert!(twice.is_empty(), "{output} holds some results more than once: {twice:?}");
    }
}
